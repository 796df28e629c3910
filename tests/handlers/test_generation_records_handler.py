"""The routes that show failed generations and the generation log."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from brightrun.aws.dynamodb import to_wire
from brightrun.conversations.generation_log.model import FailureType
from tests.aws import Aws
from tests.builders import STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, numbered_id

FAILURES = "GET /api/failed-generations"
LOGS = "GET /api/generation-logs"
STATS = "GET /api/generation-logs/stats"


def test_a_failure_is_shown_as_it_is_stored(api: Api, seeds: Seeds) -> None:
    stored = seeds.failure()
    failure = api(f"{FAILURES}/{stored.failure_id}").body["failure"]
    assert failure["id"] == failure["failure_id"] == stored.failure_id
    shown = failure.keys() - {"id"}
    assert {name: failure[name] for name in shown} == {
        name: getattr(stored, name) for name in shown
    }
    assert "owner_id" not in shown


def test_failures_are_listed_newest_first_and_in_pages(api: Api, seeds: Seeds) -> None:
    ids = [seeds.failure(number).failure_id for number in range(1, 4)]
    first = api(FAILURES, query={"limit": "2"}).body
    rest = api(FAILURES, query={"limit": "2", "cursor": first["next_cursor"]}).body
    assert [one["id"] for one in first["failures"] + rest["failures"]] == ids[::-1]
    assert (first["count"], rest["count"], rest["next_cursor"]) == (2, 1, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("failure_type", "parse_error"),
        ("stop_reason", "refusal"),
        ("truncation_pattern", "lone_backslash"),
        ("run_id", "job-9"),
    ],
)
def test_failures_are_filtered(api: Api, seeds: Seeds, name: str, value: str) -> None:
    seeds.failure(1)
    changes: dict[str, Any] = {name: value}
    wanted = seeds.failure(2, **changes)
    found = api(FAILURES, query={name: value}).body["failures"]
    assert [one["id"] for one in found] == [wanted.failure_id]


def test_a_type_of_failure_outside_the_list_is_answered_with_the_list(api: Api) -> None:
    refused = api(FAILURES, query={"failure_type": "bad_luck"})
    assert (refused.status, refused.fields) == (400, {"failure_type"})
    assert all(f"'{kind}'" in refused.body["error"] for kind in get_args(FailureType))


def test_a_failures_report_can_be_downloaded(api: Api, seeds: Seeds) -> None:
    stored = seeds.failure()
    link = api(f"{FAILURES}/{stored.failure_id}/download").body
    assert link["filename"] == f"failed-{stored.failure_id}.json"
    assert link["conversation_id"] == stored.conversation_id
    assert link["file_size"] is None
    assert urlsplit(link["download_url"]).path == f"/{stored.raw_file_path}"


def test_calls_are_listed_newest_first_without_what_was_asked(api: Api, seeds: Seeds) -> None:
    ids = [seeds.log_entry(number).log_id for number in range(1, 4)]
    first = api(LOGS, query={"limit": "2"}).body
    rest = api(LOGS, query={"limit": "2", "cursor": first["next_cursor"]}).body
    listed = first["logs"] + rest["logs"]
    assert [one["id"] for one in listed] == ids[::-1]
    assert listed[0]["cost_usd"] == 0.0285
    assert listed[0].keys().isdisjoint({"request", "owner_id", "response_id"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "rate_limited"),
        ("kind", "judgement"),
        ("model_used", "claude-haiku-4-5"),
        ("run_id", numbered_id(7)),
    ],
)
def test_calls_are_filtered(api: Api, seeds: Seeds, name: str, value: str) -> None:
    seeds.log_entry(1)
    changes: dict[str, Any] = {name: value}
    wanted = seeds.log_entry(2, **changes)
    found = api(LOGS, query={name: value}).body["logs"]
    assert [one["id"] for one in found] == [wanted.log_id]


def test_calls_without_a_kind_wrote_conversations(api: Api, seeds: Seeds, aws: Aws) -> None:
    earlier = seeds.log_entry(1)
    seeds.log_entry(2, kind="judgement")
    aws.dynamodb.update_item(
        TableName="GenerationLogsTable",
        Key=to_wire({"owner_id": earlier.owner_id, "log_id": earlier.log_id}),
        UpdateExpression="REMOVE kind",
    )
    found = api(LOGS, query={"kind": "conversation"}).body["logs"]
    assert [(one["id"], one["kind"]) for one in found] == [(earlier.log_id, "conversation")]


def test_what_calls_cost_is_added_up_by_model(api: Api, seeds: Seeds) -> None:
    seeds.log_entry(1)
    seeds.log_entry(2, status="failed", cost_micro_usd=1_500, model_used="claude-haiku-4-5")
    seeds.log_entry(3, owner_id=STRANGER)
    costs = {
        "success": True,
        "type": "cost",
        "total_cost_usd": 0.03,
        "cost_usd_by_model": {"claude-sonnet-5-5": 0.0285, "claude-haiku-4-5": 0.0015},
        "input_tokens": 4000,
        "output_tokens": 3000,
        "calls": 2,
    }
    assert api(STATS).body == api(STATS, query={"type": "cost"}).body == costs


def test_how_long_calls_took_is_told_of_those_that_succeeded(api: Api, seeds: Seeds) -> None:
    for number, duration in enumerate((900, 1100, 3000), start=1):
        seeds.log_entry(number, duration_ms=duration)
    seeds.log_entry(4, status="timeout", duration_ms=180_000)
    assert api(STATS, query={"type": "performance"}).body == {
        "success": True,
        "type": "performance",
        "calls": 4,
        "calls_by_status": {"success": 3, "timeout": 1},
        "success_rate": 0.75,
        "median_duration_ms": 1100.0,
        "longest_duration_ms": 3000,
    }


def test_of_no_calls_there_is_no_rate_and_no_duration(api: Api) -> None:
    performance = api(STATS, query={"type": "performance"}).body
    assert (performance["calls"], performance["success_rate"]) == (0, None)
    assert (performance["median_duration_ms"], performance["longest_duration_ms"]) == (None, None)
    assert api(STATS).body["total_cost_usd"] == 0.0


def test_a_kind_of_statistics_that_there_is_not_is_refused(api: Api) -> None:
    refused = api(STATS, query={"type": "quality"})
    assert (refused.status, refused.fields) == (400, {"type"})
    assert "'cost' or 'performance'" in refused.body["error"]


def test_an_owner_sees_only_their_own_records(api: Api, seeds: Seeds) -> None:
    seeds.failure()
    seeds.log_entry()
    assert api(FAILURES, owner=STRANGER).body["failures"] == []
    assert api(LOGS, owner=STRANGER).body["logs"] == []
    assert api(STATS, owner=STRANGER).body["calls"] == 0


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"date_from": "2026-11-20"}, ["21", "20"]),
        ({"date_to": "2026-11-20"}, ["20", "19"]),
        ({"date_from": "2026-11-20", "date_to": "2026-11-20"}, ["20"]),
        ({"date_from": "2026-11-22"}, []),
        ({"date_from": "0001-01-01", "date_to": "9999-12-31"}, ["21", "20", "19"]),
        ({"date_to": "1969-12-31"}, []),
    ],
)
def test_both_lists_are_of_whole_days(
    api: Api, seeds: Seeds, query: dict[str, str], days: list[str]
) -> None:
    for number, time in enumerate(("19T23:59:59.999", "20T23:59:59.999", "21T00:00:00.000"), 1):
        seeds.failure(number, created_at=f"2026-11-{time}Z")
        seeds.log_entry(number, created_at=f"2026-11-{time}Z")
    failures, calls = api(FAILURES, query=query).body, api(LOGS, query=query).body
    assert [one["created_at"][8:10] for one in failures["failures"]] == days
    assert [one["created_at"][8:10] for one in calls["logs"]] == days


@pytest.mark.parametrize("route", [FAILURES, LOGS])
def test_a_list_of_some_days_goes_on_within_them(api: Api, seeds: Seeds, route: str) -> None:
    for number in range(1, 4):
        seeds.failure(number, created_at=f"2026-11-2{number}T12:00:00.000Z")
        seeds.log_entry(number, created_at=f"2026-11-2{number}T12:00:00.000Z")
    first = api(route, query={"limit": "1", "date_to": "2026-11-22"}).body
    again = {"cursor": first["next_cursor"], "limit": "1"}
    rest = api(route, query={**again, "date_to": "2026-11-22"}).body
    assert (first["count"], rest["count"], rest["next_cursor"]) == (1, 1, None)
    refused = api(route, query={**again, "date_to": "2026-11-21"})
    assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("route", [FAILURES, LOGS])
@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "", "2026-11-21T12:00:00"])
def test_an_invalid_day_is_rejected(api: Api, route: str, value: str) -> None:
    refused = api(route, query={"date_from": value})
    assert (refused.status, refused.fields) == (400, {"date_from"})
