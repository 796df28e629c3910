"""The routes that show batch jobs, their items and their log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from brightrun.batches.model import MAX_ITEMS, ItemStatus, JobStatus, Quote
from brightrun.core.timestamps import iso
from tests import builders as build
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

STARTED = "2026-11-21T12:00:00.000Z"
LISTS = ["GET /api/batch-jobs", "GET /api/conversations/batch/{id}/items"]


def test_a_job_is_shown_with_its_counters(api: Api, seeds: Seeds) -> None:
    job = seeds.completed(seeds.job(4), build.completed(), build.completed(), build.failed())
    assert api(f"GET /api/batch-jobs/{job.job_id}").body == {
        "success": True,
        "job": {
            "id": job.job_id,
            "name": "A batch",
            "kind": "generate",
            "status": "processing",
            "statusLine": "Processing: 2 of 4 succeeded, 1 failed.",
            "totalItems": 4,
            "completedItems": 3,
            "successfulItems": 2,
            "failedItems": 1,
            "cancelledItems": 0,
            "priority": "normal",
            "concurrentProcessing": 2,
            "callsInFlight": 4,
            "errorHandling": "continue",
            "model": "claude-sonnet-5-5",
            "lane": "realtime",
            "doneBy": None,
            "switchAt": None,
            "wasOnTime": None,
            "costUsd": 0.0006,
            "simulated": False,
            "createdAt": STARTED,
            "startedAt": STARTED,
            "completedAt": None,
            "stoppedReason": None,
        },
    }


def test_a_jobs_status_has_its_progress_cost_and_estimated_time(
    api: Api, clock: SteppedClock, seeds: Seeds
) -> None:
    job = seeds.completed(seeds.job(4), build.completed(), build.completed(), build.failed())
    clock.advance(90)
    assert api(f"GET /api/conversations/batch/{job.job_id}/status").body == {
        "success": True,
        "jobId": job.job_id,
        "name": "A batch",
        "status": "processing",
        "status_line": "Processing: 2 of 4 succeeded, 1 failed.",
        "progress": {
            "total": 4,
            "completed": 3,
            "successful": 2,
            "failed": 1,
            "cancelled": 0,
            "processing": 0,
            "queued": 1,
            "percentage": 75.0,
        },
        "estimatedTimeRemaining": 30,
        "startedAt": STARTED,
        "completedAt": None,
        "stoppedReason": None,
        "cost_usd": 0.0006,
        "input_tokens": 20,
        "output_tokens": 40,
        "max_cost_usd": None,
        "reserved_cost_usd": 0.0,
        "reused_items": 0,
        "quote": None,
        "quote_error": None,
        "prompt_cache": {
            "read_tokens": 0,
            "written_tokens": 0,
            "hit_rate": None,
            "saved_usd": 0.0,
            "notice": None,
        },
        "simulated": False,
        "lane": "realtime",
        "done_by": None,
        "switch_at": None,
        "was_on_time": None,
    }


def test_a_jobs_status_has_what_its_prompt_cache_saved(api: Api, seeds: Seeds) -> None:
    job = seeds.job(
        2,
        shared_characters=18_400,
        cache_calls=8,
        cache_read_tokens=42_000,
        cache_write_tokens=6_000,
        cache_saved_micro_usd=76_800,
    )
    assert api(f"GET /api/conversations/batch/{job.job_id}/status").body["prompt_cache"] == {
        "read_tokens": 42_000,
        "written_tokens": 6_000,
        "hit_rate": 0.875,
        "saved_usd": 0.0768,
        "notice": None,
    }


def test_a_jobs_status_says_why_nothing_is_cached(api: Api, seeds: Seeds) -> None:
    job = seeds.job(2, shared_characters=916)
    shown = api(f"GET /api/conversations/batch/{job.job_id}/status").body["prompt_cache"]
    assert shown["hit_rate"] is None
    assert shown["notice"].startswith("The prompts share about 772 tokens at their start, below")


def test_a_batch_with_a_deadline_shows_the_lane_that_it_is_in(
    api: Api, clock: SteppedClock, seeds: Seeds
) -> None:
    switch_at, done_by = (iso(clock() + timedelta(hours=hours)) for hours in (2, 3))
    job = seeds.job(2, lane="economy", switch_at=switch_at, done_by=done_by)
    path = f"GET /api/conversations/batch/{job.job_id}/status"
    told = ("lane", "switch_at", "done_by", "was_on_time")
    assert [api(path).body[name] for name in told] == ["economy", switch_at, done_by, None]
    clock.advance(2 * 3600)
    assert api(path).body["lane"] == "realtime"
    shown = api(f"GET /api/batch-jobs/{job.job_id}").body["job"]
    assert (shown["lane"], shown["switchAt"], shown["doneBy"]) == ("economy", switch_at, done_by)


def test_a_batch_that_has_ended_shows_its_quote_and_how_wrong_it_was(
    api: Api, seeds: Seeds
) -> None:
    ended: dict[str, Any] = {
        "status": JobStatus.COMPLETED,
        "successful_items": 2,
        "cost_micro_usd": 1_500_000,
    }
    quote = Quote(1_000_000, 1_300_000, "own_batches", conversations=40, batches=3)
    job = seeds.job(2, quote=quote, **ended)
    shown = api(f"GET /api/conversations/batch/{job.job_id}/status").body
    assert shown["quote"] == {
        "p50": 1.0,
        "p90": 1.3,
        "source": "own_batches",
        "conversations": 40,
        "batches": 3,
    }
    assert shown["quote_error"] == 0.5
    assert api("GET /api/batch-jobs/quotes").body == {
        "success": True,
        "accuracy": [
            {
                "source": "own_batches",
                "simulated": False,
                "batches": 1,
                "cost_mape": 0.3333,
                "cost_p90_coverage": 0.0,
            }
        ],
    }


def test_the_estimated_time_is_null_before_the_first_result(api: Api, seeds: Seeds) -> None:
    job = seeds.job(4)
    status = api(f"GET /api/conversations/batch/{job.job_id}/status").body
    assert status["estimatedTimeRemaining"] is None
    assert status["progress"]["percentage"] == 0.0


def test_items_are_shown_in_order_with_their_results(api: Api, seeds: Seeds) -> None:
    job = seeds.completed(seeds.job(2), build.failed())
    shown = api(f"GET /api/conversations/batch/{job.job_id}/items").body
    assert (shown["count"], shown["next_cursor"]) == (2, None)
    failed, waiting = shown["items"]
    assert failed == {
        "id": seeds.items(job)[0].item_id,
        "position": 1,
        "status": "failed",
        "persona_key": "overwhelmed_avoider",
        "emotional_arc_key": "confusion_to_clarity",
        "training_topic_key": "roth_ira_conversion",
        "tier": "template",
        "conversation_id": None,
        "attempts": 1,
        "error_code": "x",
        "error_message": "broke",
        "input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": 0.0,
        "reused": False,
        "updatedAt": STARTED,
    }
    assert (waiting["position"], waiting["status"], waiting["attempts"]) == (2, "queued", 0)


def test_jobs_are_listed_newest_first(api: Api, seeds: Seeds) -> None:
    jobs = [seeds.job(1, name=f"Batch {number}") for number in range(3)]
    listed = api("GET /api/batch-jobs").body
    newest_first = sorted((job.job_id for job in jobs), reverse=True)
    assert [job["id"] for job in listed["jobs"]] == newest_first
    assert (listed["count"], listed["next_cursor"]) == (3, None)


def test_jobs_and_items_are_filtered_by_status(api: Api, seeds: Seeds) -> None:
    paused = seeds.job(1, status=JobStatus.PAUSED)
    running = seeds.completed(seeds.job(3), build.failed())
    listed = api("GET /api/batch-jobs", query={"status": "paused"}).body
    assert [job["id"] for job in listed["jobs"]] == [paused.job_id]
    route = f"GET /api/conversations/batch/{running.job_id}/items"
    assert [item["position"] for item in api(route, query={"status": "failed"}).body["items"]] == [
        1
    ]
    assert api(route, query={"status": "queued"}).body["count"] == 2


def test_every_status_can_be_filtered_by_and_no_other(api: Api, seeds: Seeds) -> None:
    items = f"GET /api/conversations/batch/{seeds.job(1).job_id}/items"
    for route, statuses in (("GET /api/batch-jobs", JobStatus), (items, ItemStatus)):
        for status in statuses:
            assert api(route, query={"status": status.value}).status == 200
        refused = api(route, query={"status": "done"})
        assert (refused.status, refused.fields) == (400, {"status"})
        assert all(f"'{status}'" in refused.body["error"] for status in statuses)
    assert api(items, query={"status": "paused"}).status == 400


def pages(api: Api, route: str, query: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api(route, query={**query, **cursor}).body
        found.append(page)
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_pages_follow_each_other_without_gap_or_repetition(api: Api, seeds: Seeds) -> None:
    jobs = {seeds.job(1).job_id for _ in range(5)}
    listed = pages(api, "GET /api/batch-jobs", {"limit": "2"})
    assert [page["count"] for page in listed] == [2, 2, 1]
    ids = [job["id"] for page in listed for job in page["jobs"]]
    assert len(ids) == 5
    assert set(ids) == jobs

    job = seeds.job(7)
    route = f"GET /api/conversations/batch/{job.job_id}/items"
    shown = pages(api, route, {"limit": "3"})
    positions = [item["position"] for page in shown for item in page["items"]]
    assert positions == list(range(1, 8))


def test_the_log_is_read_in_order_and_in_pages(api: Api, seeds: Seeds) -> None:
    job = seeds.job(1)
    seeds.logged(job, "one", "two", "three", "four", "five")
    route = f"GET /api/batch-jobs/{job.job_id}/log"
    expected = [f"[{STARTED}] {word}" for word in ("one", "two", "three", "four", "five")]
    assert api(route).body == {
        "success": True,
        "lines": expected,
        "count": 5,
        "next_cursor": None,
    }
    by_two = pages(api, route, {"limit": "2"})
    assert [line for page in by_two for line in page["lines"]] == expected


@pytest.mark.parametrize("limit", ["0", "-1", "101", "ten", "", "1.5", "9" * 400])
def test_a_limit_outside_its_bounds_is_refused(api: Api, seeds: Seeds, limit: str) -> None:
    job_id = seeds.job(1).job_id
    for route in LISTS:
        refused = api(route.replace("{id}", job_id), query={"limit": limit})
        assert (refused.status, refused.fields) == (400, {"limit"})


def test_limits_may_be_as_large_as_documented(api: Api, seeds: Seeds) -> None:
    job_id = seeds.job(1).job_id
    for route in LISTS:
        for limit in ("1", "100"):
            assert api(route.replace("{id}", job_id), query={"limit": limit}).status == 200
    log = f"GET /api/batch-jobs/{job_id}/log"
    assert api(log, query={"limit": "1000"}).status == 200
    assert api(log, query={"limit": "1001"}).status == 400


def test_a_cursor_of_another_owner_or_list_is_refused(api: Api, seeds: Seeds) -> None:
    for owner in (OWNER, STRANGER):
        for _ in range(3):
            seeds.job(3, owner=owner)
    theirs = api("GET /api/batch-jobs", owner=STRANGER, query={"limit": "1"}).body
    job_id = seeds.job(3).job_id
    for route in ("GET /api/batch-jobs", f"GET /api/conversations/batch/{job_id}/items"):
        refused = api(route, query={"cursor": theirs["next_cursor"]})
        assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")


def test_an_owner_sees_only_their_own_jobs(api: Api, seeds: Seeds) -> None:
    seeds.job(1)
    assert api("GET /api/batch-jobs", owner=STRANGER).body["jobs"] == []


def planned_by_combination(body: dict[str, Any]) -> dict[str, int]:
    return {
        f"{one['persona_key']}/{one['emotional_arc_key']}/{one['training_topic_key']}": one[
            "planned"
        ]
        for one in body["combinations"]
    }


def test_what_open_batches_have_not_written_yet_is_planned(api: Api, seeds: Seeds) -> None:
    begun = seeds.completed(seeds.job(4), build.completed(), build.failed())
    seeds.job(4, status=JobStatus.PAUSED)
    seeds.job(4, status=JobStatus.CANCELLED)
    seeds.job(4, kind="judge")
    seeds.job(4, owner=STRANGER)
    body = api("GET /api/batch-jobs/planned").body
    left = [
        f"{item.persona_key}/{item.emotional_arc_key}/{item.training_topic_key}"
        for item in seeds.items(begun)
        if item.status is ItemStatus.QUEUED
    ]
    counts = planned_by_combination(body)
    assert (body["total"], body["complete"], sum(counts.values())) == (6, True, 6)
    assert len(left) == 2
    assert all(counts[combination] == 2 for combination in left)


def test_planned_items_of_too_many_batches_are_said_to_be_incomplete(
    api: Api, seeds: Seeds
) -> None:
    for _ in range(2):
        seeds.job(3, total_items=MAX_ITEMS)
    body = api("GET /api/batch-jobs/planned").body
    assert (body["total"], body["complete"]) == (3, False)
