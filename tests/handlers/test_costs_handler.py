"""The route that adds up costs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import STRANGER
from tests.fakes.training_jobs import a_training_job
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

COSTS = "GET /api/costs"


def costs(api: Api, **query: str) -> dict[str, Any]:
    answer = api(COSTS, query=query)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.body["data"]
    return data


@pytest.fixture
def bills(seeds: Seeds) -> None:
    """Today is 2026-11-21; the oldest bill is outside of the last 30 days."""
    for number, (amount, at) in enumerate(
        (
            (100.0, "2026-10-22T23:59:59.999Z"),
            (1.25, "2026-10-23T00:00:00.000Z"),
            (2.5, "2026-11-15T12:00:00.000Z"),
            (0.0026, "2026-11-21T00:00:00.000Z"),
            (4.0, "2026-11-21T23:59:59.999Z"),
        )
    ):
        seeds.training_record(a_training_job(f"job-{number}"), amount, at)
    seeds.training_record(a_training_job("job-9", owner=STRANGER), 9.0, "2026-11-21T12:00:00.000Z")


def test_without_dates_the_last_thirty_days_are_added_up_today_included(
    api: Api, bills: None
) -> None:
    data = costs(api)
    assert (data["start_date"], data["end_date"]) == ("2026-10-23", "2026-11-21")
    assert (data["total_cost"], data["cost_by_type"]) == (7.7526, {"training_compute": 7.7526})
    assert len(data["chart_data"]) == 30
    assert data["chart_data"][0] == {"date": "2026-10-23", "amount": 1.25}
    assert data["chart_data"][1] == {"date": "2026-10-24", "amount": 0.0}
    assert data["chart_data"][-1] == {"date": "2026-11-21", "amount": 4.0026}
    assert [record["amount"] for record in data["records"]] == [4.0, 0.0026, 2.5, 1.25]
    assert data["record_count"] == 4


@pytest.mark.parametrize(
    ("period", "days", "total"),
    [("week", 7, 6.5026), ("month", 30, 7.7526), ("year", 365, 107.7526)],
)
def test_a_period_ends_today(api: Api, bills: None, period: str, days: int, total: float) -> None:
    data = costs(api, period=period)
    assert (len(data["chart_data"]), data["total_cost"]) == (days, total)
    assert data["end_date"] == "2026-11-21"
    assert data["start_date"] <= "2026-11-15"


def test_both_ends_are_whole_days(api: Api, bills: None) -> None:
    data = costs(api, start_date="2026-10-22", end_date="2026-10-23")
    assert (data["total_cost"], len(data["chart_data"])) == (101.25, 2)
    one = costs(api, start_date="2026-11-21", end_date="2026-11-21")
    assert (one["total_cost"], len(one["chart_data"])) == (4.0026, 1)


def test_one_end_brings_the_other(api: Api, bills: None) -> None:
    since = costs(api, start_date="2026-11-15")
    assert (since["start_date"], since["end_date"]) == ("2026-11-15", "2026-11-21")
    early = costs(api, start_date="2026-01-01")
    assert (early["start_date"], early["end_date"]) == ("2026-01-01", "2026-01-30")
    until = costs(api, end_date="2026-10-22")
    assert (until["start_date"], until["total_cost"]) == ("2026-09-23", 100.0)
    tomorrow = costs(api, start_date="2026-11-22")
    assert (tomorrow["end_date"], tomorrow["total_cost"]) == ("2026-11-22", 0.0)


def test_days_without_costs_add_up_to_nothing(api: Api) -> None:
    data = costs(api)
    assert (data["total_cost"], data["cost_by_type"], data["records"]) == (0.0, {}, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start_date": "2026-11-21", "end_date": "2026-11-20"}, "start_date"),
        ({"start_date": "2025-11-20", "end_date": "2026-11-21"}, "end_date"),
        ({"start_date": "0001-01-02"}, "start_date"),
        ({"end_date": "9999-12-31"}, "end_date"),
        ({"start_date": "21.11.2026"}, "start_date"),
        ({"end_date": "1795262400"}, "end_date"),
        ({"period": "decade"}, "period"),
        ({"period": "week", "start_date": "2026-11-20"}, "period"),
    ],
)
def test_days_that_make_no_range_are_refused_by_their_name(
    api: Api, query: dict[str, str], field: str
) -> None:
    refused = api(COSTS, query=query)
    assert (refused.status, refused.fields) == (400, {field})
