"""Failures of a training job: code, message and hint."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brightrun.training.sagemaker.model import TrainingRun
from brightrun.training.workflow.finish import CAUSES, failure_of, lacked_capacity

ERRORS = Path(__file__).parents[3] / "training_container" / "trainer" / "errors.py"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def a_run(reason: str, *, started: bool) -> TrainingRun:
    return TrainingRun(
        name="brightrun-1",
        status="Failed",
        secondary_status="Failed",
        failure_reason=reason,
        status_message=None,
        created_at=NOW,
        training_started_at=NOW if started else None,
        training_ended_at=NOW,
        training_seconds=None,
        billable_seconds=None,
        artifact_uri=None,
        environment={},
    )


@pytest.mark.parametrize(
    ("reason", "code", "message"),
    [
        (
            "AlgorithmError: DatasetError: no trainable pair: 4 rows., exit code: 2",
            "unusable_dataset",
            "no trainable pair: 4 rows.",
        ),
        ("DatasetError: no row.", "unusable_dataset", "no row."),
        ("AlgorithmError: BudgetError: too little, exit code: 2", "budget_too_small", "too little"),
        (
            "AlgorithmError: torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB, exit code: 1",
            "out_of_memory",
            "CUDA out of memory. Tried 2 GiB",
        ),
        (
            "AlgorithmError: RuntimeError: CUDA error: out of memory, exit code: 1",
            "out_of_memory",
            "CUDA error: out of memory",
        ),
        (
            "AlgorithmError: WorkerKilled: process 0 ended with SIGKILL, exit code: 137",
            "killed",
            "process 0 ended with SIGKILL",
        ),
        (
            "WorkerKilled: process 0 ended with SIGKILL",
            "killed",
            "process 0 ended with SIGKILL",
        ),
        (
            "AlgorithmError: ValueError: odd, exit code: 1",
            "training_error",
            "ValueError: odd",
        ),
        ("AlgorithmError: , exit code: 1", "training_error", "AlgorithmError: , exit code: 1"),
        ("ClientError: no such key", "refused_by_sagemaker", "no such key"),
        ("InternalServerError: We tried", "sagemaker_error", "We tried"),
        ("CapacityError: no instance", "no_capacity", "no instance"),
        ("Something new", "training_error", "Something new"),
        ("", "training_error", "SageMaker gave no reason."),
        (None, "training_error", "SageMaker gave no reason."),
    ],
)
def test_a_reason_becomes_a_code_a_sentence_and_a_hint(
    reason: str | None, code: str, message: str
) -> None:
    failure = failure_of(reason)
    assert (failure.code, failure.message) == (code, message)
    assert failure.hint.endswith(".")


def test_every_failure_of_the_container_has_a_code_and_a_hint() -> None:
    classes = {
        node.name
        for node in ast.parse(ERRORS.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    assert classes - {"TrainingError"} <= CAUSES.keys()


def test_a_long_reason_is_cut_to_what_sagemaker_shows() -> None:
    assert len(failure_of("AlgorithmError: " + "x" * 5000).message) <= 1024


def test_only_a_job_that_never_trained_has_lacked_capacity() -> None:
    reason = "CapacityError: Unable to provision requested ML compute capacity."
    assert lacked_capacity(a_run(reason, started=False))
    assert not lacked_capacity(a_run(reason, started=True))
    assert not lacked_capacity(a_run("AlgorithmError: capacity", started=False))
