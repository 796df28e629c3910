"""The routes of costs and budgets."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Day
from brightrun.training.costs.schemas import BudgetResponse, CostsResponse
from brightrun.training.costs.service import BudgetReader, CostSummer, Period

router = APIGatewayHttpRouter()


@router.get("/api/costs", tags=["Costs"])
def show_costs(
    period: Annotated[
        Period | None, Query(description="The last 7, 30 or 365 days, today included.")
    ] = None,
    start_date: Day = None,
    end_date: Day = None,
) -> CostsResponse:
    """Add up what training, writing and judging cost, by day; without dates, of the last 30 days.

    What a batch spent counts on the day of each answer, also if its conversations were deleted; a
    training job's bill counts on the day when it was closed.
    """
    summer = service(router, CostSummer)
    return CostsResponse.from_domain(summer.summary(owner_of(router), period, start_date, end_date))


@router.get("/api/costs/budget", tags=["Costs"])
def show_budget() -> BudgetResponse:
    """Show what may be spent this month (UTC): the budget, what is spent, reserved and left.

    An order reserves the most that it can cost until it ends, in the month in which it was placed.
    """
    return BudgetResponse.from_domain(service(router, BudgetReader).now(owner_of(router)))
