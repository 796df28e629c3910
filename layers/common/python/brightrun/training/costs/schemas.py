"""Responses of the costs route: v1's fields, with amounts as numbers."""

from __future__ import annotations

import datetime
from typing import Any, Self

from pydantic import ConfigDict, Field

from brightrun.http.schemas import NestedModel, ResponseModel
from brightrun.training.costs.service import CostSummary, DayOfCosts


class CostRecordView(NestedModel):
    """The cost of one job, in US dollars."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    id: str = Field(validation_alias="record_id")
    job_id: str
    cost_type: str
    amount: float
    billing_period: str
    recorded_at: str
    details: dict[str, Any]


class CostsPart(NestedModel):
    """Costs from `start_date` to `end_date`, both included.

    `chart_data` has every day. The sums are over all `record_count` records; `records` lists the
    newest 1,000 of them, newest first.
    """

    start_date: datetime.date
    end_date: datetime.date
    total_cost: float
    cost_by_type: dict[str, float]
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
