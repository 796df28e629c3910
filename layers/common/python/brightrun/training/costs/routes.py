"""The costs route."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Day
from brightrun.training.costs.schemas import CostsResponse
from brightrun.training.costs.service import CostSummer, Period

router = APIGatewayHttpRouter()


@router.get("/api/costs", tags=["Costs"])
def show_costs(
    period: Annotated[
        Period | None, Query(description="The last 7, 30 or 365 days, today included.")
    ] = None,
    start_date: Day = None,
    end_date: Day = None,
) -> CostsResponse:
    """Add up the cost of the caller's training by day; without dates, of the last 30 days."""
    summer = service(router, CostSummer)
    return CostsResponse.from_domain(summer.summary(owner_of(router), period, start_date, end_date))
