"""What the state machine TrainAdapter and its three functions tell each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

TurnStatus = Literal["wait", "start", "watch", "finish", "hand_over", "settled"]
"""What comes next: the same again after a pause, a start, a watch, the finish, another execution,
or nothing."""


class TrainingTurn(BaseModel):
    """One turn of a function: whose job, which execution, how many turns it has had."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )

    owner_id: str
    job_id: str
    run: Annotated[int, Field(ge=1)] = 1
    turn: Annotated[int, Field(ge=0)] = 0


class TrainingTurnResult(TrainingTurn):
    """What comes next, and after how many seconds."""

    status: TurnStatus
    wait_seconds: int = 0


def next_turn(turn: TrainingTurn, status: TurnStatus, wait_seconds: int = 0) -> TrainingTurnResult:
    """Answer a turn; `wait_seconds` counts where the machine waits before what comes next."""
    return TrainingTurnResult(
        owner_id=turn.owner_id,
        job_id=turn.job_id,
        run=turn.run,
        turn=turn.turn + 1,
        status=status,
        wait_seconds=wait_seconds,
    )
