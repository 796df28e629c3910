"""Reasons to end training before its last step: a signal, the budget, or early stopping."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from enum import IntEnum
from types import FrameType

from training_container.trainer.config import RunConfig
from training_container.trainer.errors import BudgetError, StoppedBeforeFirstStepError


class StopReason(IntEnum):
    """Why training ended; the larger one wins when processes disagree."""

    FINISHED = 0
    NO_IMPROVEMENT = 1
    BUDGET = 2
    SIGNAL = 3

    @property
    def status(self) -> str:
        """The run's status. Only a signal leaves steps that a restart would run."""
        return "stopped" if self is StopReason.SIGNAL else "completed"


class StopSignal:
    """Records SIGTERM and SIGINT instead of exiting; SageMaker kills 120 s after SIGTERM."""

    def __init__(self) -> None:
        self.received: str | None = None

    @classmethod
    def install(cls) -> StopSignal:
        """Install the handlers; must run in the main thread."""
        stop = cls()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop._remember)
        return stop

    def check(self) -> None:
        """Raise StoppedBeforeFirstStepError if a signal was received; for use while loading."""
        if self.received:
            raise StoppedBeforeFirstStepError(f"{self.received} came while setting up.")

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number).name


class Budget:
    """The seconds a run may last, earlier attempts included."""

    def __init__(
        self, config: RunConfig, started: float, clock: Callable[[], float] | None = None
    ) -> None:
        self._limit = config.budget_seconds()
        self._reserve = config.finish_reserve_seconds
        self._started = started
        self._clock = clock or time.monotonic
        self._earlier = 0.0
        self._longest_step = 0.0

    def elapsed(self) -> float:
        """Seconds since the process began, plus those of earlier attempts."""
        return self._earlier + self._clock() - self._started

    def resume(self, seconds: float) -> None:
        """Count the seconds that earlier attempts took."""
        self._earlier = seconds

    def observe_step(self, seconds: float) -> None:
        """Record the seconds of one step, with its evaluation and checkpoint."""
        self._longest_step = max(self._longest_step, seconds)

    def is_spent(self) -> bool:
        """Whether another step would leave less than the reserve for saving and checking."""
        if self._limit is None:
            return False
        return self.elapsed() + self._longest_step + self._reserve > self._limit

    def too_small(self) -> BudgetError:
        """The error of a run that has no time for a single step."""
        return BudgetError(
            f"{self.elapsed():.0f} s went into setting up and {self._reserve:.0f} s are kept for "
            f"saving, of {self._limit or 0:.0f} s allowed; raise max_cost_usd or max_seconds."
        )


class EarlyStopping:
    """Stops when the validation loss has not improved for `patience` evaluations (0: never)."""

    def __init__(self, config: RunConfig) -> None:
        self._patience = config.early_stopping_patience
        self._min_delta = config.early_stopping_min_delta

    def is_due(self, losses: list[float]) -> bool:
        """Whether the last `patience` losses all failed to beat the best one before them.

        A loss that is not finite is infinity here, and never an improvement.
        """
        if self._patience == 0 or len(losses) <= self._patience:
            return False
        before, recent = losses[: -self._patience], losses[-self._patience :]
        return min(recent) == math.inf or min(recent) > min(before) - self._min_delta
