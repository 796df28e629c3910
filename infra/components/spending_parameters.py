"""What may be spent, as CloudFormation parameters that reach a function's environment.

Parameters and not context: CloudFormation keeps a parameter's value over later deployments, so that
a deployment that does not name a budget does not lift it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnParameter, Stack

_AMOUNT = r"\d{1,9}(\.\d{1,2})?"
_BUDGET = {
    "default": "",
    "allowed_pattern": f"({_AMOUNT})?",
    "constraint_description": "must be US dollars, such as 500 or 0.50, or empty for no budget",
}
BUDGETS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "OWNER_BUDGET_USD": (
        "OwnerBudgetUsd",
        {**_BUDGET, "description": "What each user's orders may cost in a calendar month (UTC)"},
    ),
    "DEPLOYMENT_BUDGET_USD": (
        "DeploymentBudgetUsd",
        {**_BUDGET, "description": "What all users' orders may cost in a calendar month (UTC)"},
    ),
}
"""Environment variable -> the parameter's name and properties."""
TRAINING_PRICE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "TRAINING_PRICE_WITHOUT_CAP_USD": (
        "TrainingPriceWithoutCapUsd",
        {
            "default": "100",
            "allowed_pattern": _AMOUNT,
            "constraint_description": "must be US dollars, such as 100",
            "description": "Training that is estimated to cost more needs a cap, max_cost_usd",
        },
    ),
}


def spending_environment(stack: Stack) -> dict[str, dict[str, str]]:
    """Declare the parameters on `stack` and return the variables of each function that has any."""
    budgets, price = _declared(stack, BUDGETS), _declared(stack, TRAINING_PRICE)
    return {
        "generate": budgets,
        "batch_jobs": budgets,
        "jobs": {**budgets, **price},
        "costs": {**budgets, **price},
    }


def _declared(stack: Stack, known: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, str]:
    return {
        variable: CfnParameter(stack, name, **properties).value_as_string
        for variable, (name, properties) in known.items()
    }
