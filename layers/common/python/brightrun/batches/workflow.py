"""Messages between the batch state machine and its functions, and the limits on its history.

Step Functions ends an execution at 25,000 history events. One invocation of a worker adds at most
18 (task entered, four tries of three events, result, exit, choice, wait), so that
MAX_LOOPS x MAX_ROUNDS x 10 workers x 18 = 21,600 events, and the rest of a round adds under 100.
After MAX_ROUNDS the job continues with its next run, in a new execution.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from brightrun.batches.model import MAX_CALLS_PER_WORKER, MAX_WORKERS

HISTORY_LIMIT = 25_000
EVENTS_PER_INVOCATION = 18
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
    """The input of a worker: the job, and how many invocations came before this one."""

    model_config = _EVENT

    owner_id: str
    job_id: str
    worker: Annotated[int, Field(ge=0, lt=MAX_WORKERS)]
    loop: Annotated[int, Field(ge=0)] = 0
    calls_in_flight: Annotated[int, Field(ge=1, le=MAX_CALLS_PER_WORKER)] | None = None
    """What Claude carried at the end of the worker's last invocation; None for its first one."""


InvocationStatus = Literal["continue", "wait", "drained", "closed", "handover"]
"""`continue`: out of time. `wait`: Claude asks for a long wait. `drained`: nothing to claim.
`closed`: the job accepts no claims. `handover`: MAX_LOOPS is reached, so the round ends."""


class WorkerResult(WorkerInvocation):
    """Why a worker stopped; `wait_seconds` applies to the status `wait` only."""

    status: InvocationStatus
    wait_seconds: int = 0


class Round(BaseModel):
    """One round of workers: the input of finish_batch."""

    model_config = _EVENT

    owner_id: str
    job_id: str
    run: int
    workers: list[int]
    round: int = 0


class RoundResult(Round):
    """Whether another round of workers is needed, and in how many seconds."""

    status: Literal["finished", "unfinished"]
    wait_seconds: int = 0


def max_events(workers: int) -> int:
    """Upper limit on the history events of one execution."""
    return MAX_ROUNDS * (workers * MAX_LOOPS * EVENTS_PER_INVOCATION + EVENTS_PER_ROUND)
