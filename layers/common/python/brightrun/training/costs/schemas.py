"""Responses of the routes of costs and budgets: v1's fields, with amounts as numbers."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field

from brightrun.http.schemas import NestedModel, ResponseModel, Usd
from brightrun.training.costs.model import CostType
from brightrun.training.costs.service import BudgetsNow, CostSummary, DayOfCosts


class CostRecordView(NestedModel):
    """What a training job cost, or a batch job spent on one day, in US dollars.

    A `simulated` amount was not paid: it is what Claude's answers would have cost.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="record_id")
    job_id: str
    cost_type: CostType
    amount: float
    billing_period: str
    recorded_at: str
    details: dict[str, Any]
    simulated: bool


class CostsPart(NestedModel):
    """US dollars, exact to a millionth, from `start_date` to `end_date`, both included, in UTC.

    `chart_data` has every day. The sums are over all `record_count` records but the simulated ones,
    which only `simulated_cost` adds up; `records` lists the newest 1,000 of all, newest first.
    """

    start_date: datetime.date
    end_date: datetime.date
    total_cost: float
    cost_by_type: dict[CostType, float]
    simulated_cost: float
    chart_data: list[DayOfCosts]
    record_count: int
    records: list[CostRecordView]


class CostsResponse(ResponseModel):
    """GET /api/costs."""

    data: CostsPart

    @classmethod
    def from_domain(cls, summary: CostSummary) -> Self:
        """The response for a summary."""
        return cls(data=CostsPart.model_validate(summary))


UsdIfAny = Annotated[
    float | None, BeforeValidator(lambda micro_usd: None if micro_usd is None else micro_usd / 1e6)
]
"""US dollars, converted from the millionths that are stored, or null."""


class WorkAmounts(NestedModel):
    """US dollars for Claude's work, writing and judging, and for SageMaker's, training."""

    writing: Usd
    training: Usd


class BudgetView(NestedModel):
    """A month's budget in US dollars; `limit_usd` and `left_usd` are null where there is none.

    `reserved` is held for orders in progress, which give back what they do not spend.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    limit_usd: UsdIfAny = Field(validation_alias="limit")
    spent: WorkAmounts
    reserved: WorkAmounts
    left_usd: UsdIfAny = Field(validation_alias="left")


class BudgetsPart(NestedModel):
    """The budgets of `month` (YYYY-MM, UTC): the caller's, and the deployment's if it has a limit.

    Training that is estimated above `training_price_without_cap_usd` needs `max_cost_usd`.
    """

    month: str
    owner: BudgetView
    deployment: BudgetView | None
    training_price_without_cap_usd: float


class BudgetResponse(ResponseModel):
    """GET /api/costs/budget."""

    data: BudgetsPart

    @classmethod
    def from_domain(cls, budgets: BudgetsNow) -> Self:
        """The response for the budgets of a month."""
        return cls(data=BudgetsPart.model_validate(budgets))
