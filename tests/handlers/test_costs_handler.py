"""The route that adds up costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from brightrun.batches.claim_repository import Outcome
from brightrun.batches.model import BatchJob
from tests import builders as build
from tests.aws import Aws
from tests.builders import STRANGER
from tests.fakes.training_jobs import a_training_job
from tests.handlers.faults import Calls
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

COSTS = "GET /api/costs"


def costs(api: Api, **query: str) -> dict[str, Any]:
    answer = api(COSTS, query=query)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.body["data"]
    return data


def day(date: str, **by_type: float) -> dict[str, Any]:
    return {"date": date, "amount": sum(by_type.values()), "by_type": by_type}


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
    assert data["chart_data"][0] == day("2026-10-23", training_compute=1.25)
    assert data["chart_data"][1] == day("2026-10-24")
    assert data["chart_data"][-1] == day("2026-11-21", training_compute=4.0026)
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


# --- what batches spent on Claude


MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
BEFORE = MIDNIGHT - timedelta(milliseconds=1)


def paid(micro_usd: int, **changes: Any) -> Outcome:
    return build.completed(cost_micro_usd=micro_usd, **changes)


def row_of_an_earlier_version(aws: Aws, job: BatchJob, **values: dict[str, str]) -> None:
    """Make the job's row as it was before it counted by day."""
    key = {"owner_id": {"S": job.owner_id}, "job_id": {"S": job.job_id}}
    row = aws.dynamodb.get_item(TableName="BatchJobsTable", Key=key)["Item"]
    kept = {name: one for name, one in row.items() if "_on_2" not in name}
    aws.dynamodb.put_item(TableName="BatchJobsTable", Item={**kept, **values})


def test_writing_and_judging_are_added_up_by_day_beside_training(
    api: Api, seeds: Seeds, bills: None
) -> None:
    written = seeds.completed(seeds.job(3), paid(100_001), paid(200_002), at=BEFORE)
    seeds.completed(written, paid(1), at=MIDNIGHT)
    judged = seeds.completed(seeds.job(1, kind="judge"), paid(700_000), at=MIDNIGHT)
    seeds.completed(seeds.job(1, owner=STRANGER), paid(9_000_000))
    data = costs(api, start_date="2026-11-20", end_date="2026-11-21")
    assert data["cost_by_type"] == {
        "training_compute": 4.0026,
        "writing": 0.300004,
        "judging": 0.7,
    }
    assert (data["total_cost"], data["simulated_cost"]) == (5.002604, 0.0)
    assert data["chart_data"] == [
        {"date": "2026-11-20", "amount": 0.300003, "by_type": {"writing": 0.300003}},
        {
            "date": "2026-11-21",
            "amount": 4.702601,
            "by_type": {"training_compute": 4.0026, "writing": 0.000001, "judging": 0.7},
        },
    ]
    spent = {
        (one["job_id"], one["billing_period"], one["cost_type"]): one["amount"]
        for one in data["records"]
        if one["cost_type"] != "training_compute"
    }
    assert spent == {
        (written.job_id, "2026-11-20", "writing"): 0.300003,
        (written.job_id, "2026-11-21", "writing"): 0.000001,
        (judged.job_id, "2026-11-21", "judging"): 0.7,
    }
    assert data["record_count"] == 5


def test_tenths_add_up_to_tenths(api: Api, seeds: Seeds) -> None:
    for _ in range(3):
        seeds.completed(seeds.job(1), paid(100_000))
    assert costs(api)["total_cost"] == 0.3


def test_what_failed_and_was_paid_for_again_counts_each_time_on_its_day(
    api: Api, seeds: Seeds, aws: Aws
) -> None:
    job = seeds.completed(seeds.job(1), build.failed(cost_micro_usd=400), at=BEFORE)
    aws.claims.requeue(seeds.items(job), MIDNIGHT)
    (again,) = aws.claims.claim(seeds.items(job), build.a_lease(), [build.a_line()], MIDNIGHT)
    build.end_item(aws.claims, again, paid(500), MIDNIGHT)
    data = costs(api, start_date="2026-11-20", end_date="2026-11-21")
    assert [one["amount"] for one in data["chart_data"]] == [0.0004, 0.0005]
    assert costs(api, start_date="2026-11-21", end_date="2026-11-21")["total_cost"] == 0.0005


def test_deleting_a_conversation_changes_no_cost(api: Api, seeds: Seeds) -> None:
    kept = seeds.conversation(cost_micro_usd=300)
    seeds.completed(seeds.job(1), paid(300, conversation=kept))
    before = costs(api)
    assert api(f"DELETE /api/conversations/{kept.conversation_id}").status == 200
    assert costs(api) == before
    assert before["total_cost"] == 0.0003


def test_what_was_simulated_is_listed_and_added_up_apart(api: Api, seeds: Seeds) -> None:
    job = seeds.completed(seeds.job(2), paid(300), paid(5_000, simulated=True))
    data = costs(api)
    assert (data["total_cost"], data["simulated_cost"]) == (0.0003, 0.005)
    assert data["cost_by_type"] == {"writing": 0.0003}
    assert data["chart_data"][-1] == day("2026-11-21", writing=0.0003)
    assert {(one["amount"], one["simulated"]) for one in data["records"]} == {
        (0.0003, False),
        (0.005, True),
    }
    assert {one["job_id"] for one in data["records"]} == {job.job_id}


def test_what_an_earlier_version_counted_belongs_to_the_day_of_the_job(
    api: Api, seeds: Seeds, aws: Aws
) -> None:
    old = seeds.completed(seeds.job(2), paid(300), paid(200), at=MIDNIGHT + timedelta(days=1))
    row_of_an_earlier_version(aws, old, spent_on_20261122={"N": "150"})
    simulated = seeds.completed(seeds.job(1), paid(70, simulated=True))
    row_of_an_earlier_version(aws, simulated)
    data = costs(api, start_date="2026-11-21", end_date="2026-11-22")
    assert [one["amount"] for one in data["chart_data"]] == [0.00035, 0.00015]
    assert (data["total_cost"], data["simulated_cost"]) == (0.0005, 0.00007)


def test_the_reads_do_not_grow_with_the_conversations(api: Api, seeds: Seeds, aws: Aws) -> None:
    calls = Calls(aws.dynamodb)
    job = seeds.completed(seeds.job(30), paid(10))
    with calls.watched():
        assert costs(api)["total_cost"] == 0.00001
    assert calls.seen == ["Query", "Query"]
    seeds.completed(job, *(paid(10) for _ in range(29)))
    with calls.watched():
        assert costs(api)["total_cost"] == 0.0003
    assert calls.seen == ["Query", "Query"]


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
