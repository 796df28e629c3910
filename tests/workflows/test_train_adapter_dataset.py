"""What the training workflow makes sure of before an instance starts: the dataset that was
validated, rendered with the job's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from brightrun.catalog.base_models import base_model
from brightrun.datasets.receipts import service
from brightrun.datasets.receipts.service import ReceiptWriter
from brightrun.training.model import DatasetCheck, TrainingJob
from tests.fakes.datasets import ROWS
from tests.fakes.sagemaker_account import LIMIT
from tests.fakes.tokenizer import put_tokenizer
from tests.fakes.training_jobs import a_dataset, a_training_job
from tests.workflows.running_machine import Killed
from tests.workflows.training_system import TrainingSystem, running_training

NO_QUOTA = ("ResourceLimitExceeded", LIMIT)
MODEL = base_model(a_training_job().base_model)
REFUSES = "{{ raise_exception('not mine') }}"
SAMPLED = DatasetCheck("sampled", "creation", "10 of 4000 rows were rendered.")


@pytest.fixture
def system() -> Iterator[TrainingSystem]:
    with running_training() as running:
        yield running


def know_the_tokenizer(system: TrainingSystem, **template: str) -> None:
    put_tokenizer(system.aws.s3, MODEL, **template)


def run(system: TrainingSystem, job: TrainingJob) -> TrainingJob:
    system.workflow.ensure_training(job)
    assert system.ended(job.job_id) == "SUCCEEDED"
    return system.now(job)


def overwrite(system: TrainingSystem) -> None:
    key = a_dataset().storage_path
    system.aws.s3.put_object(Bucket="datasets", Key=key, Body=ROWS + b"\n")


def delete(system: TrainingSystem) -> None:
    system.aws.s3.delete_object(Bucket="datasets", Key=a_dataset().storage_path)


def assert_nothing_was_billed(system: TrainingSystem, job: TrainingJob) -> None:
    after = system.now(job)
    assert system.account.created == []
    assert (after.status, after.final_cost, after.billed_seconds) == ("failed", 0.0, 0)
    assert "nothing is billed" in (after.error_hint or "")
    assert system.bills(job) == [0.0]
    assert system.active_jobs(job) == 0
    assert sorted(system.notification_types(job)) == ["job_failed", "job_queued"]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[TrainingJob]:
    """How often a dataset was rendered."""
    real, calls = ReceiptWriter.count, []

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[1])
        return real(*args, **kwargs)

    monkeypatch.setattr(ReceiptWriter, "count", counting)
    return calls


@pytest.mark.parametrize("change", [overwrite, delete])
@pytest.mark.parametrize("known", [False, True])
def test_a_dataset_that_changed_after_creation_fails_the_job_before_an_instance_starts(
    system: TrainingSystem, change: Any, known: bool
) -> None:
    if known:
        know_the_tokenizer(system)
    job = system.create_job(start=False)
    change(system)
    after = run(system, job)
    assert after.error_code == "object_changed"
    assert "overwritten or deleted after it was confirmed" in (after.error_message or "")
    assert_nothing_was_billed(system, job)


def test_a_dataset_that_changes_while_the_job_waits_for_an_instance_fails_it(
    system: TrainingSystem,
) -> None:
    know_the_tokenizer(system)
    system.account.refusals = [NO_QUOTA]
    job = system.create_job(start=False)
    system.disturb = lambda _name, _event, number: overwrite(system) if number == 2 else None
    assert run(system, job).error_code == "object_changed"
    assert_nothing_was_billed(system, job)


def test_a_dataset_that_the_model_cannot_be_trained_on_fails_the_job_with_the_reason(
    system: TrainingSystem,
) -> None:
    know_the_tokenizer(system, template=REFUSES)
    job = system.create_job(start=False)
    after = run(system, job)
    assert after.error_code == "untrainable"
    assert "no trainable pair" in (after.error_message or "")
    assert_nothing_was_billed(system, job)


def test_a_dataset_that_leaves_nothing_to_train_with_the_jobs_settings_fails_the_job(
    system: TrainingSystem,
) -> None:
    know_the_tokenizer(system)
    long = (
        b'{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "%s"}]}'
    )
    text = long % (b"q" * 4000, b"a" * 4000)
    job = system.create_job(start=False, text=text)
    after = run(system, job)
    assert (after.error_code, after.error_message) == (
        "untrainable",
        "The trainer would refuse this dataset: no trainable pair: 1 rows, 1 too long.",
    )
    assert_nothing_was_billed(system, job)


def test_a_model_without_a_known_tokenizer_trains_and_the_job_says_that_nothing_was_checked(
    system: TrainingSystem,
) -> None:
    after = run(system, system.create_job(start=False))
    assert after.status == "completed"
    assert after.dataset_check is not None
    assert after.dataset_check.method is None
    wanted = f"Not checked: The tokenizer of {MODEL.key} is not in the bucket of base models."
    assert after.dataset_check.message.startswith(wanted)


def test_what_was_counted_whole_at_creation_is_not_rendered_again(
    system: TrainingSystem, count: list[TrainingJob]
) -> None:
    exact = DatasetCheck("exact", "creation", "4 rows were rendered.")
    after = run(system, system.create_job(start=False, dataset_check=exact))
    assert (after.status, after.dataset_check, count) == ("completed", exact, [])


@pytest.mark.parametrize("seen", [None, SAMPLED, DatasetCheck(None, "creation", "Not checked.")])
def test_what_was_not_counted_whole_at_creation_is_rendered_once_before_the_start(
    system: TrainingSystem, count: list[TrainingJob], seen: DatasetCheck | None
) -> None:
    know_the_tokenizer(system)
    system.account.refusals = [NO_QUOTA] * 3
    after = run(system, system.create_job(start=False, dataset_check=seen))
    assert after.status == "completed"
    assert after.dataset_check is not None
    assert (after.dataset_check.method, after.dataset_check.at) == ("exact", "start")
    assert after.dataset_check.message.startswith("4 rows were rendered with the tokenizer")
    assert len(count) == 1


def test_the_start_reads_ten_times_as_much_as_a_request(
    system: TrainingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_the_tokenizer(system)
    size = a_dataset().file_size
    monkeypatch.setattr(service, "MOST_BYTES", size // 10)
    job = system.create_job(dataset_check=SAMPLED)
    assert system.ended(job.job_id) == "SUCCEEDED"
    check = system.now(job).dataset_check
    assert check is not None
    assert check.method == "exact"


def test_rendering_is_tried_again_when_its_function_died(
    system: TrainingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_the_tokenizer(system)
    real, deaths = ReceiptWriter.count, [Killed(), Killed()]

    def dying(*args: Any, **kwargs: Any) -> Any:
        if deaths:
            raise deaths.pop()
        return real(*args, **kwargs)

    monkeypatch.setattr(ReceiptWriter, "count", dying)
    after = run(system, system.create_job(start=False))
    assert after.dataset_check is not None
    assert (after.status, after.dataset_check.method) == ("completed", "exact")


def test_rendering_that_never_ends_does_not_hold_the_job_up_for_ever(
    system: TrainingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_the_tokenizer(system)

    def dying(*_: Any, **__: Any) -> Any:
        raise Killed

    monkeypatch.setattr(ReceiptWriter, "count", dying)
    job = system.create_job()
    assert system.ended(job.job_id) == "FAILED"
    assert system.account.created == []
    assert system.sweep().revived == 1
    assert system.ended(f"{job.job_id}-2") == "SUCCEEDED"
    after = system.now(job)
    assert after.dataset_check is not None
    assert (after.status, after.dataset_check.method) == ("completed", None)
    assert "rendering the dataset did not end" in after.dataset_check.message


def test_a_job_that_is_cancelled_while_its_dataset_is_rendered_starts_nothing(
    system: TrainingSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_the_tokenizer(system)
    real = ReceiptWriter.count

    def cancelling(*args: Any, **kwargs: Any) -> Any:
        system.cancel(job)
        return real(*args, **kwargs)

    monkeypatch.setattr(ReceiptWriter, "count", cancelling)
    job = system.create_job(start=False)
    after = run(system, job)
    assert (after.status, after.final_cost, system.account.created) == ("cancelled", 0.0, [])
