"""What the functions that place orders, and those that end them, may do with the budgets."""

from __future__ import annotations

from infra.permissions.grant import Grant

RESERVE_BUDGET = Grant(
    ("dynamodb:GetItem", "dynamodb:UpdateItem"),
    "BudgetsTable",
    "reserve what an order may cost in the order's own transaction; say what is left in a refusal",
)
CLOSE_BUDGET = Grant(
    ("dynamodb:UpdateItem",),
    "BudgetsTable",
    "replace what an ended order had reserved by what it has cost",
)
