"""The route that adds up costs."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.cost_models import CostsAnswer
from brightrun.api.shapes import Day
from brightrun.bootstrap import jobs as bootstrap_jobs
from brightrun.services.sum_costs import Period

router = APIGatewayHttpRouter()


@router.get("/api/costs", tags=["Costs"])
def show_costs(
    period: Annotated[
        Period | None, Query(description="The last 7, 30 or 365 days, today included.")
    ] = None,
    start_date: Day = None,
    end_date: Day = None,
) -> CostsAnswer:
    """Add up what the caller's training cost, day by day; without dates, in the last 30 days."""
    summer = bootstrap_jobs.cost_summer()
    return CostsAnswer.of(summer.summary(owner_of(router), period, start_date, end_date))
