"""The routes that control batch jobs."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.batches.model import JobAction, JobStatus
from tests import builders as build
from tests.aws import Aws
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns


def control(api: Api, job_id: str, action: object) -> Answer:
    return api(f"PATCH /api/conversations/batch/{job_id}", {"action": action})


def test_a_job_is_paused_and_resumed(api: Api, seeds: Seeds, runs: StartedRuns) -> None:
    job_id = seeds.job(3).job_id
    assert control(api, job_id, "pause").body == {
        "success": True,
        "jobId": job_id,
        "status": "paused",
        "message": "The job is paused.",
    }
    assert runs.names() == []
    resumed = control(api, job_id, "resume").body
    assert (resumed["status"], resumed["message"]) == ("processing", "The job is resumed.")
    assert runs.names() == [f"{job_id}-2"]


CAPPED: dict[str, Any] = {"max_cost_micro_usd": 1000, "item_bound_micro_usd": 400}


def at_its_cap(aws: Aws, seeds: Seeds) -> str:
    """A job that ended with one item of three, and 700 of 1,000 millionths spent."""
    paid = build.completed(cost_micro_usd=700)
    job = seeds.completed(seeds.job(3, **CAPPED, committed_micro_usd=700), paid)
    waiting = [item for item in seeds.items(job) if item.status == "queued"]
    aws.claims.cancel_items(waiting, build.START)
    aws.batches.apply(
        job.owner_id, job.job_id, JobAction.COMPLETE, build.START, build.a_line("ended")
    )
    return job.job_id


def test_a_batch_that_ended_at_its_cap_goes_on_with_a_higher_one(
    api: Api, aws: Aws, seeds: Seeds, runs: StartedRuns
) -> None:
    job_id = at_its_cap(aws, seeds)
    path = f"/api/conversations/batch/{job_id}"
    ended = api(f"GET {path}/status").body
    assert ended["status_line"].startswith("Completed up to its cap of $0.00: 1 of 3 succeeded")
    spent = api(f"PATCH {path}", {"action": "resume"})
    assert (spent.status, spent.body["code"]) == (400, "action_not_allowed")
    raised = api(f"PATCH {path}", {"action": "resume", "max_cost_usd": 0.002})
    assert (raised.status, raised.body["status"]) == (200, "processing")
    progress = api(f"GET {path}/status").body
    assert (progress["max_cost_usd"], progress["progress"]["queued"]) == (0.002, 2)
    assert runs.names() == [f"{job_id}-2"]


def test_a_cap_is_raised_by_resume_alone_and_only_where_there_is_one(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    job_id = seeds.job(3).job_id
    path = f"PATCH /api/conversations/batch/{job_id}"
    assert api(path, {"action": "pause", "max_cost_usd": 5}).status == 400
    refused = api(path, {"action": "resume", "max_cost_usd": 5})
    assert (refused.status, refused.body["code"]) == (400, "action_not_allowed")
    assert "it has no cap" in refused.body["detail"]


def test_cancelling_keeps_completed_items(api: Api, seeds: Seeds, runs: StartedRuns) -> None:
    job = seeds.completed(seeds.job(5), build.completed(), build.failed())
    cancelled = api(f"POST /api/batch-jobs/{job.job_id}/cancel")
    assert cancelled.status == 200
    assert cancelled.body.keys() == {"success", "message", "job"}
    shown = cancelled.body["job"]
    assert shown["status"] == "cancelled"
    assert (shown["successfulItems"], shown["failedItems"], shown["cancelledItems"]) == (1, 1, 3)
    assert runs.input_of(f"{job.job_id}-2")["workers"] == []


def test_both_routes_cancel(api: Api, seeds: Seeds, runs: StartedRuns) -> None:
    job_id = seeds.job(2).job_id
    assert control(api, job_id, "cancel").body["status"] == "cancelled"
    assert api(f"GET /api/batch-jobs/{job_id}").body["job"]["cancelledItems"] == 2


def test_failed_items_are_queued_again(api: Api, seeds: Seeds, runs: StartedRuns) -> None:
    job = seeds.completed(seeds.job(3), build.failed(), build.completed(), build.failed())
    assert api(f"POST /api/batch-jobs/{job.job_id}/retry-failed").body == {
        "success": True,
        "jobId": job.job_id,
        "status": "processing",
        "requeued": 2,
        "message": "2 items are queued again.",
    }
    assert runs.names() == [f"{job.job_id}-2"]
    statuses = [item.status for item in seeds.items(job)]
    assert statuses == ["queued", "completed", "queued"]


@pytest.mark.parametrize(
    ("status", "shown", "starts"),
    [
        (JobStatus.QUEUED, "processed", True),
        (JobStatus.PROCESSING, "processed", True),
        (JobStatus.PAUSED, "paused", False),
        (JobStatus.COMPLETED, "job_completed", False),
        (JobStatus.FAILED, "job_completed", False),
        (JobStatus.CANCELLED, "job_cancelled", False),
    ],
)
def test_a_client_of_v1_that_drives_the_batch_only_sees_its_progress(
    api: Api, seeds: Seeds, runs: StartedRuns, status: JobStatus, shown: str, starts: bool
) -> None:
    job = seeds.job(3, status=status)
    for _ in range(3):
        answer = api(f"POST /api/batch-jobs/{job.job_id}/process-next")
        assert answer.status == 200
        assert answer.body.keys() == {"success", "status", "remainingItems", "progress"}
        assert (answer.body["status"], answer.body["remainingItems"]) == (shown, 3)
        assert answer.body["progress"]["total"] == 3
    assert runs.names() == ([f"{job.job_id}-1"] if starts else [])


@pytest.mark.parametrize(
    ("status", "route", "body"),
    [
        (JobStatus.COMPLETED, "PATCH /api/conversations/batch/{id}", {"action": "pause"}),
        (JobStatus.CANCELLED, "PATCH /api/conversations/batch/{id}", {"action": "resume"}),
        (JobStatus.FAILED, "PATCH /api/conversations/batch/{id}", {"action": "cancel"}),
        (JobStatus.COMPLETED, "POST /api/batch-jobs/{id}/cancel", None),
    ],
)
def test_an_action_that_the_status_does_not_allow_is_refused_with_the_status(
    api: Api, seeds: Seeds, status: JobStatus, route: str, body: dict[str, Any] | None
) -> None:
    job_id = seeds.job(1, status=status).job_id
    route = route.replace("{id}", job_id)
    refused = api(route, body) if body else api(route)
    assert (refused.status, refused.body["code"]) == (400, "action_not_allowed")
    assert refused.body["details"]["status"] == status
    assert "processing" in refused.body["details"]["allowed_in"]
    assert f"The job is {status}" in refused.body["error"]


def test_there_is_nothing_to_retry_without_failures(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    job = seeds.completed(seeds.job(1), build.completed())
    refused = api(f"POST /api/batch-jobs/{job.job_id}/retry-failed")
    assert (refused.status, refused.body["code"]) == (400, "action_not_allowed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "stop"}, "action"),
        ({"action": None}, "action"),
        ({"action": ["pause"]}, "action"),
        ({}, "action"),
        ({"action": "pause", "status": "completed"}, "status"),
        ({"action": "pause", "owner_id": "owner-2"}, "owner_id"),
    ],
)
def test_an_unknown_action_is_answered_with_the_known_ones(
    api: Api, seeds: Seeds, body: dict[str, Any], field: str
) -> None:
    job = seeds.job(1)
    refused = api(f"PATCH /api/conversations/batch/{job.job_id}", body)
    assert (refused.status, refused.fields) == (400, {field})
    if body.get("action") == "stop":
        assert "'pause', 'resume' or 'cancel'" in refused.body["error"]
    assert api(f"GET /api/batch-jobs/{job.job_id}").body["job"]["status"] == "processing"
