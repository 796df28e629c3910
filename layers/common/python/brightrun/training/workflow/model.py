"""The steps of the state machine TrainAdapter, its executions and its attempts.

An execution's history is bounded: a turn of the start or of the watch takes at most 18 events (task
entered, four attempts of three events, exited, choice, wait), so that MAX_TURNS x 18 = 23,400 of
Step Functions' 25,000. After that the next execution continues.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from brightrun.core.timestamps import from_iso
from brightrun.training.model import TrainingJob

StepStatus = Literal["wait", "start", "watch", "finish", "hand_over", "settled"]
"""The next step: the same one after a pause, a start, a watch, the finish, another execution, or
none."""


class TrainingStep(BaseModel):
    """The input of a step: the job, the number of the execution, and its turns so far."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        defer_build=True,
    )

    owner_id: str
    job_id: str
    run: Annotated[int, Field(ge=1)] = 1
    turn: Annotated[int, Field(ge=0)] = 0


class TrainingStepResult(TrainingStep):
    """The next step, and after how many seconds it starts."""

    status: StepStatus
    wait_seconds: int = 0


def next_step(step: TrainingStep, status: StepStatus, wait_seconds: int = 0) -> TrainingStepResult:
    """The output of a step; `wait_seconds` is used where the state machine has a wait."""
    return TrainingStepResult(
        owner_id=step.owner_id,
        job_id=step.job_id,
        run=step.run,
        turn=step.turn + 1,
        status=status,
        wait_seconds=wait_seconds,
    )


HISTORY_LIMIT = 25_000
EVENTS_PER_TURN = 18
EVENTS_AROUND = 100
"""The execution's start and end, and the finishing task with all its attempts."""
MAX_TURNS = 1300
LONGEST_WAIT_FOR_CAPACITY = timedelta(hours=24)
"""From when a job is queued; after that the job fails."""
NAME_PREFIX = "brightrun-"
_FIRST_PAUSE_S = 15
_GROWTH = 2
_ATTEMPT = re.compile(r"(?P<name>.+?)(?:-r(?P<number>\d+))?")


def next_name(external_job_id: str) -> str:
    """The name of the next attempt (`-r2`, `-r3`...): SageMaker accepts a name only once."""
    found = _ATTEMPT.fullmatch(external_job_id)
    name, number = (found["name"], found["number"]) if found else (external_job_id, None)
    return f"{name}-r{int(number or 1) + 1}"


def pause_s(attempts: int, longest_s: int) -> int:
    """Seconds before the next attempt: 15, 30, 60... up to CapacityRetrySeconds."""
    doublings = min(max(attempts, 1) - 1, 20)
    return int(max(1, min(longest_s, _FIRST_PAUSE_S * _GROWTH**doublings)))


def gives_up_at(job: TrainingJob) -> datetime:
    """When a job without instances fails instead of waiting longer."""
    return from_iso(job.queued_at) + LONGEST_WAIT_FOR_CAPACITY


def execution_name(job_id: str, run: int) -> str:
    """The name of an execution: the job's id, then `-2`, `-3`... for the following ones."""
    return job_id if run == 1 else f"{job_id}-{run}"


def most_events() -> int:
    """The most history events that one execution can have."""
    return MAX_TURNS * EVENTS_PER_TURN + EVENTS_AROUND
