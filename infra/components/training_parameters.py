"""How often training is looked at and tried again, as CloudFormation parameters."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnParameter, Stack

# Environment variable -> the parameter's name and properties.
PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "WATCH_SECONDS": (
        "WatchSeconds",
        {
            "default": 30,
            "min_value": 1,
            "max_value": 600,
            "description": "How long to wait between two looks at a training job",
        },
    ),
    "CAPACITY_RETRY_SECONDS": (
        "CapacityRetrySeconds",
        {
            "default": 300,
            "min_value": 1,
            "max_value": 3600,
            "description": "The longest pause between two tries to get instances; the first is 15",
        },
    ),
}


def training_environment(stack: Stack) -> dict[str, str]:
    """Declare the parameters on `stack` and return the variables' values."""
    return {
        variable: CfnParameter(stack, name, type="Number", **properties).value_as_string
        for variable, (name, properties) in PARAMETERS.items()
    }
