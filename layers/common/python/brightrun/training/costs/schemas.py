"""How costs are shown: the original's fields, amounts as numbers."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Self

from brightrun.http.schemas import NestedModel, ResponseModel
from brightrun.training.schemas import CostRecordView

if TYPE_CHECKING:
    from brightrun.training.costs.service import CostSummary


class DayOfCosts(NestedModel):
    """What one day cost, in UTC and in US dollars."""

    date: datetime.date
    amount: float


class CostsPart(NestedModel):
    """Costs from `start_date` to `end_date`, both whole.

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
        """Show the sums."""
        days = summary.by_day.items()
        return cls(
            data=CostsPart(
                start_date=summary.first,
                end_date=summary.last,
                total_cost=summary.total,
                cost_by_type=summary.by_type,
                chart_data=[DayOfCosts(date=day, amount=amount) for day, amount in days],
                record_count=summary.record_count,
                records=[CostRecordView.model_validate(record) for record in summary.records],
            )
        )
