"""The training workflow as it is deployed: its text interpreted, its real functions behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import pytest

from brightrun.training.model import TrainingJob
from brightrun.training.workflow import model as workflow
from brightrun.training.workflow.model import most_events
from tests.builders import OWNER, START
from tests.fakes import sagemaker_account as sagemaker
from tests.fakes.sagemaker_account import CAPACITY, HAPPY, LIMIT, Job
from tests.workflows.definition import TRAIN_ADAPTER, all_edges
from tests.workflows.histories import edges, entered
from tests.workflows.running_machine import Killed
from tests.workflows.training_system import TrainingSystem, running_training

NO_QUOTA = ("ResourceLimitExceeded", LIMIT)
NO_ROOM = ([sagemaker.PENDING, sagemaker.FAILED], CAPACITY)


@pytest.fixture
def system() -> Iterator[TrainingSystem]:
    with running_training() as running:
        yield running


def trained(system: TrainingSystem, job: TrainingJob, name: str = "") -> TrainingJob:
    """The job after its execution has ended well, within its history."""
    execution = name or job.job_id
    assert system.ended(execution) == "SUCCEEDED"
    assert len(system.history(execution)) <= most_events()
    return system.now(job)


def kill_once(system: TrainingSystem, when: Literal["before", "after"], operation: str) -> None:
    """Kill the function that asks SageMaker for the operation next, before or after it is done."""

    def kill(asked: str) -> None:
        if asked == operation:
            setattr(system.account, when, lambda _: None)
            raise Killed

    setattr(system.account, when, kill)


def types_of(system: TrainingSystem, job: TrainingJob) -> list[str]:
    return [event.type for event in system.events(job)]


def test_a_job_is_trained_and_its_adapter_delivered(system: TrainingSystem) -> None:
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.stage, after.settled) == ("completed", "done", True)
    assert (after.progress, after.current_step, after.total_steps) == (100.0, 33, 33)
    assert after.started_at is not None
    assert after.stopped_reason is None
    assert after.results["final_loss"] == 1.25
    assert after.model_id == system.model(job).model_id
    assert system.notification_types(job) == [
        "job_queued",
        "job_started",
        "artifact_ready",
        "job_completed",
    ]
    assert system.bills(job) == [after.final_cost]
    assert after.final_cost == round(6.0 * (after.billed_seconds or 0) / 3600, 4) > 0
    assert system.active_jobs(job) == 0
    assert system.account.created == [job.external_job_id]


def test_what_is_delivered_is_what_was_trained(system: TrainingSystem) -> None:
    job = system.create_job()
    trained(system, job)
    model = system.model(job)
    assert {file.name for file in model.files} >= {"adapter_model.safetensors", "manifest.json"}
    for file in model.files:
        body = system.aws.s3.get_object(Bucket="models", Key=file.key)["Body"].read()
        assert file.key == f"{OWNER}/{model.model_id}/{file.name}"
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size, file.sha256)
    assert model.quality_metrics["overall_score"] == 5
    assert model.compatibility["vllm_max_lora_rank"] == 16


def test_metrics_arrive_while_it_trains(system: TrainingSystem) -> None:
    system.account.scripts = [([*HAPPY[:2], *[sagemaker.TRAINING] * 3, *HAPPY[3:]], None)]
    seen: list[tuple[float, int]] = []

    def look(name: str, *_: Any) -> None:
        row = system.now(job)
        if name == "watch-training" and row.status == "running":
            seen.append((row.progress, row.current_step))

    system.disturb = look
    job = system.create_job()
    trained(system, job)
    assert seen[0][1] > 0
    assert seen == sorted(seen)
    points = system.records.points(OWNER, job.job_id, limit=1000, cursor=None).records
    assert [point.step for point in points] == list(range(1, 34))
    stages = [event.type for event in system.events(job) if "secondary_status" in event.data]
    assert stages == ["downloading", "training", "uploading", "verifying"]


def test_a_job_without_quota_waits_with_the_reason_and_the_next_try(
    system: TrainingSystem,
) -> None:
    system.account.refusals = [NO_QUOTA] * 7
    rows: list[TrainingJob] = []
    system.disturb = lambda *_: rows.append(system.now(job))
    job = system.create_job()
    after = trained(system, job)
    waiting = [row for row in rows if row.stage == "waiting_for_capacity"]
    assert len(waiting) == 7
    assert {row.status for row in waiting} == {"queued"}
    assert all("service limit" in (row.stage_reason or "") for row in waiting)
    assert all(row.next_try_at is not None for row in waiting)
    assert system.waited[:7] == [15, 30, 60, 120, 240, 300, 300]
    assert after.status == "completed"
    assert types_of(system, job).count("waiting_for_capacity") == 1


def test_throttling_is_waited_for_like_missing_quota(system: TrainingSystem) -> None:
    system.account.refusals = [("ThrottlingException", "Rate exceeded")]
    job = system.create_job()
    assert trained(system, job).status == "completed"
    assert system.waited[0] == 15


def test_a_job_that_found_no_instance_is_tried_again_under_another_name(
    system: TrainingSystem,
) -> None:
    system.account.scripts = [NO_ROOM, NO_ROOM]
    job = system.create_job()
    after = trained(system, job)
    name = job.external_job_id
    assert system.account.created == [name, f"{name}-r2", f"{name}-r3"]
    assert (after.status, after.external_job_id) == ("completed", f"{name}-r3")
    assert after.start_attempts == 3


def test_a_job_without_instances_fails_after_a_day_with_the_reason(system: TrainingSystem) -> None:
    system.account.refusals = [NO_QUOTA] * 1000
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "no_capacity")
    assert "24 hours" in (after.error_message or "")
    assert "service limit" in (after.error_message or "")
    assert after.error_hint
    assert (after.final_cost, after.billed_seconds) == (0.0, 0)
    assert system.clock() - START >= timedelta(hours=24)
    assert system.notification_types(job) == ["job_queued", "job_failed"]


def test_a_request_that_sagemaker_refuses_fails_at_once(system: TrainingSystem) -> None:
    system.account.refusals = [("ValidationException", "RoleArn: the role cannot be assumed")]
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "training_request_refused")
    assert "cannot be assumed" in (after.error_message or "")
    assert system.active_jobs(job) == 0


def test_a_gated_base_model_without_a_mirror_costs_nothing(
    system: TrainingSystem,
) -> None:
    job = system.create_job(base_model="mistral-7b-instruct-v0.3")
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "training_request_refused")
    assert "Mirror its revision" in (after.error_message or "")
    assert system.account.created == []


def test_a_base_model_that_is_free_to_load_needs_no_mirror(system: TrainingSystem) -> None:
    job = system.create_job(base_model="qwen2.5-7b-instruct")
    assert trained(system, job).status == "completed"
    (sent,) = system.account.jobs.values()
    assert sent.request["EnableNetworkIsolation"] is False


def test_a_failed_container_leaves_its_cause_and_its_cost(system: TrainingSystem) -> None:
    reason = "AlgorithmError: OutOfMemoryError: CUDA out of memory., exit code: 1"
    system.account.scripts = [([*HAPPY[:3], sagemaker.FAILED], reason)]
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "out_of_memory")
    assert after.error_message == "CUDA out of memory."
    assert "max_seq_length" in (after.error_hint or "")
    assert after.final_cost is not None
    assert after.final_cost > 0
    assert system.notification_types(job) == ["job_queued", "job_started", "job_failed"]


def test_a_training_that_ran_out_of_time_still_delivers_its_adapter(system: TrainingSystem) -> None:
    system.account.scripts = [([*HAPPY[:3], sagemaker.STOPPING, sagemaker.OUT_OF_TIME], None)]

    def leave(name: str, job: Job) -> None:
        system.leave_an_artifact(name, job, status="stopped", stopped_because="signal", steps=20)

    system.account.leaves = leave
    job = system.create_job(max_cost_usd=3.0)
    after = trained(system, job)
    assert (after.status, after.stopped_reason) == ("completed", "max_runtime")
    assert system.model(job).training_summary["total_steps"] == 20


def test_a_training_that_ended_itself_within_its_budget_is_complete(
    system: TrainingSystem,
) -> None:
    system.account.leaves = lambda name, job: system.leave_an_artifact(
        name, job, stopped_because="budget", steps=12
    )
    job = system.create_job(max_cost_usd=3.0)
    after = trained(system, job)
    assert (after.status, after.stopped_reason, after.current_step) == ("completed", "budget", 12)


def test_a_training_that_overruns_its_budget_is_stopped_and_its_adapter_kept(
    system: TrainingSystem,
) -> None:
    system.account.scripts = [([*HAPPY[:2], *[sagemaker.TRAINING] * 1000], None)]

    def leave(name: str, job: Job) -> None:
        system.leave_an_artifact(name, job, status="stopped", stopped_because="signal", steps=20)

    system.account.leaves = leave
    job = system.create_job(max_cost_usd=1.0)
    after = trained(system, job)
    assert system.account.stopped == [job.external_job_id]
    assert (after.status, after.stopped_reason) == ("completed", "budget")
    assert 1.0 < (after.final_cost or 0) < 2.5
    assert types_of(system, job).count("over_budget") == 1


def test_completed_is_not_believed_if_the_trainer_reports_otherwise(
    system: TrainingSystem,
) -> None:
    system.account.leaves = lambda name, job: system.leave_an_artifact(
        name, job, status="stopped", stopped_because="signal", steps=20
    )
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "not_completed")
    assert after.model_id is None


def test_completed_without_an_adapter_is_a_failure(system: TrainingSystem) -> None:
    system.account.leaves = lambda *_: None
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "unusable_adapter")
    assert (after.final_cost or 0) > 0


def test_a_spot_job_continues_after_its_instance_was_reclaimed(system: TrainingSystem) -> None:
    between = [sagemaker.INTERRUPTED, sagemaker.RESTARTING, sagemaker.TRAINING]
    system.account.scripts = [([*HAPPY[:3], *between, *HAPPY[3:]], None)]
    statuses: list[tuple[str, str]] = []
    system.disturb = lambda *_: statuses.append(((row := system.now(job)).status, row.stage))
    job = system.create_job(use_spot=True)
    after = trained(system, job)
    assert ("initializing", "waiting_for_capacity") in statuses
    assert after.status == "completed"
    assert system.notification_types(job).count("job_started") == 1
    points = system.records.points(OWNER, job.job_id, limit=1000, cursor=None).records
    assert [point.step for point in points] == list(range(1, 34))


@pytest.mark.parametrize(
    ("function", "call"),
    [("start-training", 1), ("watch-training", 1), ("watch-training", 4), ("finish-training", 1)],
)
def test_a_killed_function_changes_nothing_about_the_end(
    system: TrainingSystem, function: str, call: int
) -> None:
    def kill(name: str, _: Any, number: int) -> None:
        if (name, number) == (function, call):
            raise Killed

    system.disturb = kill
    job = system.create_job()
    assert trained(system, job).status == "completed"
    assert system.account.created == [job.external_job_id]
    assert len(system.bills(job)) == 1


def test_a_function_killed_right_after_asking_sagemaker_trains_once(
    system: TrainingSystem,
) -> None:
    kill_once(system, "after", "CreateTrainingJob")
    job = system.create_job()
    assert trained(system, job).status == "completed"
    assert system.calls["start-training"] == 2
    assert system.account.created == [job.external_job_id]


def test_a_function_killed_between_the_row_and_the_request_trains_once(
    system: TrainingSystem,
) -> None:
    kill_once(system, "before", "CreateTrainingJob")
    job = system.create_job()
    assert trained(system, job).status == "completed"
    assert system.account.created == [job.external_job_id]


def test_the_quota_that_the_job_itself_uses_up_is_no_reason_to_wait(
    system: TrainingSystem,
) -> None:
    from functions.start_training.handler import lambda_handler

    job = system.create_job(start=False)
    turn = {"ownerId": OWNER, "jobId": job.job_id}
    assert lambda_handler(turn, None)["status"] == "watch"
    system.account.refusals = [NO_QUOTA]
    assert lambda_handler(turn, None)["status"] == "watch"
    assert system.now(job).status == "initializing"


def cancel_at(system: TrainingSystem, function: str, call: int) -> TrainingJob:
    """Cancel right before the given call of a function."""

    def cancel(name: str, event: Any, number: int) -> None:
        if (name, number) == (function, call):
            system.cancel(job)

    system.disturb = cancel
    job = system.create_job(start=False)
    system.workflow.ensure_training(job)
    return job


def test_a_job_cancelled_before_its_start_never_reaches_sagemaker(system: TrainingSystem) -> None:
    job = cancel_at(system, "start-training", 1)
    after = trained(system, job)
    assert (after.status, after.settled, after.final_cost) == ("cancelled", True, 0.0)
    assert system.account.created == []


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_job_cancelled_while_it_is_watched_is_stopped_and_billed(
    system: TrainingSystem, call: int
) -> None:
    job = cancel_at(system, "watch-training", call)
    after = trained(system, job)
    assert (after.status, after.settled) == ("cancelled", True)
    assert system.account.jobs[job.external_job_id].state == sagemaker.STOPPED
    assert system.bills(job) == [after.final_cost]
    assert system.notification_types(job).count("job_cancelled") == 1
    assert "job_completed" not in system.notification_types(job)
    assert system.active_jobs(job) == 0


def test_a_job_cancelled_while_it_waits_for_capacity_is_not_tried_again(
    system: TrainingSystem,
) -> None:
    system.account.refusals = [NO_QUOTA] * 3
    job = cancel_at(system, "start-training", 3)
    after = trained(system, job)
    assert (after.status, after.settled) == ("cancelled", True)
    assert system.account.created == []


def test_a_job_cancelled_while_sagemaker_is_being_asked_is_stopped(
    system: TrainingSystem,
) -> None:
    def cancel(operation: str) -> None:
        if operation == "CreateTrainingJob":
            system.account.before = lambda _: None
            system.cancel(job)

    system.account.before = cancel
    job = system.create_job(start=False)
    system.workflow.ensure_training(job)
    after = trained(system, job)
    assert (after.status, after.settled) == ("cancelled", True)
    assert system.account.stopped == [job.external_job_id]


def test_a_job_cancelled_while_its_adapter_is_checked_delivers_none(
    system: TrainingSystem,
) -> None:
    def cancel(operation: str) -> None:
        if operation == "DescribeTrainingJob" and system.calls["finish-training"] == 1:
            system.account.before = lambda _: None
            system.cancel(job)

    system.account.before = cancel
    job = system.create_job(start=False)
    system.workflow.ensure_training(job)
    after = trained(system, job)
    assert (after.status, after.settled, after.model_id) == ("cancelled", True, None)
    assert system.notification_types(job) == ["job_queued", "job_started", "job_cancelled"]


def test_a_long_training_continues_in_another_execution(
    system: TrainingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("start", "watch"):
        monkeypatch.setattr(f"brightrun.training.workflow.{module}.MAX_TURNS", 4)
    assert workflow.MAX_TURNS > 4
    job = system.create_job()
    trained(system, job)
    trained(system, job, f"{job.job_id}-2")
    assert system.now(job).status == "completed"
    assert system.executions() == [job.job_id, f"{job.job_id}-2"]


def test_an_execution_that_was_lost_is_replaced_by_the_sweep(system: TrainingSystem) -> None:
    tries = 4

    def fail(name: str, _: Any, number: int) -> None:
        if name == "watch-training" and number <= tries:
            raise RuntimeError

    system.disturb = fail
    job = system.create_job()
    assert system.ended(job.job_id) == "FAILED"
    assert system.sweep().revived == 1
    assert trained(system, job, f"{job.job_id}-2").status == "completed"
    assert system.sweep() == type(system.sweep())(0, 0)
    assert system.account.created == [job.external_job_id]


def test_a_job_whose_execution_was_never_started_is_found_by_the_sweep(
    system: TrainingSystem,
) -> None:
    job = system.create_job(start=False)
    assert system.sweep().revived == 1
    assert trained(system, job).status == "completed"


def test_starting_a_job_three_times_trains_once(system: TrainingSystem) -> None:
    job = system.create_job()
    for _ in range(2):
        system.workflow.ensure_training(job)
    trained(system, job)
    assert system.executions() == [job.job_id]
    assert len(system.account.jobs) == 1


def test_a_deleted_sagemaker_job_is_not_trained_again(
    system: TrainingSystem,
) -> None:
    def delete(name: str, _: Any, number: int) -> None:
        if (name, number) == ("watch-training", 4):
            system.account.jobs.clear()

    system.disturb = delete
    job = system.create_job()
    after = trained(system, job)
    assert (after.status, after.error_code) == ("failed", "deleted")
    assert system.account.created == [job.external_job_id]
    assert (after.final_cost or 0) > 0


def test_every_edge_of_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    # A day's worth of retries, in fewer of them.
    day = timedelta(minutes=5)
    monkeypatch.setattr("brightrun.training.workflow.model.LONGEST_WAIT_FOR_CAPACITY", day)
    scenarios = (
        everything_goes_wrong_once,
        quota_is_never_there,
        cancelled_while_queued,
        cancelled_while_checked,
        settled_while_watched,
    )
    taken: set[tuple[str, str]] = set()
    for prepare in scenarios:
        with running_training() as system:
            job = prepare(system)
            trained(system, job)
            history = system.history(job.job_id)
            taken |= edges(history)
            assert entered(history)["Done"] == 1
    assert taken == all_edges(TRAIN_ADAPTER.parsed())


def everything_goes_wrong_once(system: TrainingSystem) -> TrainingJob:
    system.account.refusals = [NO_QUOTA]
    system.account.scripts = [NO_ROOM]

    def crash(_: str, __: Any, number: int) -> None:
        if number == 1:
            raise RuntimeError

    system.disturb = crash
    return system.create_job()


def quota_is_never_there(system: TrainingSystem) -> TrainingJob:
    system.account.refusals = [NO_QUOTA] * 100
    return system.create_job()


def cancelled_while_checked(system: TrainingSystem) -> TrainingJob:
    def cancel(operation: str) -> None:
        if operation == "DescribeTrainingJob" and system.calls["finish-training"] == 1:
            system.account.before = lambda _: None
            system.cancel(job)

    system.account.before = cancel
    job = system.create_job(start=False)
    system.workflow.ensure_training(job)
    return job


def cancelled_while_queued(system: TrainingSystem) -> TrainingJob:
    job = system.create_job(start=False)
    system.cancel(job)
    system.workflow.ensure_training(job)
    return job


def settled_while_watched(system: TrainingSystem) -> TrainingJob:
    """Another execution was faster."""
    from functions.finish_training.handler import lambda_handler

    def close_billing(name: str, _: Any, number: int) -> None:
        if (name, number) == ("watch-training", len(HAPPY)):
            system.account.jobs[job.external_job_id].script = [sagemaker.COMPLETED]
            lambda_handler({"ownerId": OWNER, "jobId": job.job_id}, None)

    system.disturb = close_billing
    job = system.create_job(start=False)
    system.workflow.ensure_training(job)
    return job
