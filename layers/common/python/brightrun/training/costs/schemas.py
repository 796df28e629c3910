"""Responses of the costs route: v1's fields, with amounts as numbers."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Self

from brightrun.http.schemas import NestedModel, ResponseModel
from brightrun.training.costs.service import CostSummary, DayOfCosts
from brightrun.training.schemas import CostRecordView

if TYPE_CHECKING:
    from brightrun.training.costs.service import CostSummary


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
