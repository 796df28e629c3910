"""Messages between the batch state machine and its functions, and the bounds on its history.

Step Functions ends an execution at 25,000 history events. A worker's turn costs at most 18 (task
entered, four tries of three events, result, left, choice, wait), so that
MAX_LOOPS x MAX_ROUNDS x 10 workers x 18 = 21,600 events, and the rest of a round under 100. When
the rounds are used up the next run of the job takes over in a new execution.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from brightrun.batches.model import MAX_WORKERS

HISTORY_LIMIT = 25_000
EVENTS_PER_TURN = 18
EVENTS_PER_ROUND = 100
MAX_LOOPS = 30
MAX_ROUNDS = 4
_EVENT = ConfigDict(
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
    frozen=True,
    defer_build=True,
)


class WorkerInvocation(BaseModel):
    """What a worker is asked to do, and what it gives back for its next turn."""

    model_config = _EVENT

    owner_id: str
    job_id: str
    worker: Annotated[int, Field(ge=0, lt=MAX_WORKERS)]
    loop: Annotated[int, Field(ge=0)] = 0


TurnStatus = Literal["continue", "wait", "drained", "closed", "handover"]


class WorkerResult(WorkerInvocation):
    """How a worker's turn ended; `wait_seconds` counts for the status wait alone."""

    status: TurnStatus
    wait_seconds: int = 0


class Round(BaseModel):
    """One round of workers, as finish_batch gets it and gives it back."""

    model_config = _EVENT

    owner_id: str
    job_id: str
    run: int
    workers: list[int]
    round: int = 0


class RoundResult(Round):
    """Whether the workers must go out again, and after how many seconds."""

    status: Literal["finished", "unfinished"]
    wait_seconds: int = 0


def most_events(workers: int) -> int:
    """The most history events that one execution can have."""
    return MAX_ROUNDS * (workers * MAX_LOOPS * EVENTS_PER_TURN + EVENTS_PER_ROUND)
