"""Faults at one chosen call to the outside world, of the three kinds there are.

refused   the call never took place
unheard   the call took place, and its answer was lost
killed    the call took place, and the process died before it heard of it
A process that dies before a call is one that dies after the call before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from botocore.exceptions import ReadTimeoutError

from brightrun.core.errors import ClaudeCallError
from tests.effort import effort
from tests.stateful.batch_process import BatchProcess

Kind = Literal["refused", "unheard", "killed"]
KINDS: tuple[Kind, ...] = ("refused", "unheard", "killed")
T = TypeVar("T")

_LOST = ClaudeCallError("network_error", "The connection to Claude failed.", retryable=True)


class KilledError(BaseException):
    """The process is no more; nothing in it may catch this."""


class Faults:
    """Watches every call of a process to AWS and to Claude, and fails the one at `position`.

    `calls` names the calls that were made, in order; `unstored` is how many answers were paid for
    and not yet stored when the process was killed: nobody can keep those.
    """

    def __init__(self, process: BatchProcess, kind: Kind, position: int | None) -> None:
        self.calls: list[str] = []
        self.unstored = 0
        self._claude = process.claude
        self._kind = kind
        self._position = position
        self._dead = False
        self._events = [client.meta.events for client in process.clients.values()]
        process.claude.before = self._before_claude
        process.claude.after = self._after_claude

    def __enter__(self) -> Faults:
        for events in self._events:
            events.register("before-call", self._before_aws)
            events.register("after-call", self._after_aws)
        return self

    def __exit__(self, *_: object) -> None:
        for events in self._events:
            events.unregister("before-call", self._before_aws)
            events.unregister("after-call", self._after_aws)

    def until_it_works(self, step: Callable[[], T]) -> T:
        """Do a step as a new process each time, until it ends well, as the workflow does."""
        for _ in range(3):
            try:
                return step()
            except (Exception, KilledError):
                if self._position is None:
                    raise
                self._dead = False
        raise AssertionError("one fault made a step fail three times")

    @property
    def struck(self) -> str:
        """The call that failed; empty if none did, as where a run needed fewer calls."""
        position = self._position
        return "" if position is None or position >= len(self.calls) else self.calls[position]

    def _before_aws(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self._before(f"{model.name} {_kind_of_object(params['url_path'])}".strip(), _timeout())

    def _after_aws(self, **_: Any) -> None:
        self._after(_timeout())

    def _before_claude(self, name: str) -> None:
        self._before(name, _LOST)

    def _after_claude(self, _: str) -> None:
        self._after(_LOST)

    def _before(self, name: str, error: Exception) -> None:
        if self._dead:
            raise KilledError
        self.calls.append(name)
        if self._is_due() and self._kind == "refused":
            raise error

    def _after(self, error: Exception) -> None:
        if self._is_due() and self._kind == "killed":
            self._dead = True
            paid = Counter(self._claude.paid).total()
            self.unstored = paid - self.calls.count("PutObject raw")
            raise KilledError
        if self._is_due() and self._kind == "unheard":
            raise error

    def _is_due(self) -> bool:
        return len(self.calls) - 1 == self._position


def _timeout() -> Exception:
    return ReadTimeoutError(endpoint_url="https://aws.test")


def _kind_of_object(path: str) -> str:
    """The last part of an object's key, without the ids in it; raw answers by their folder."""
    if path.startswith("/raw/"):
        return "raw"
    name = path.rpartition("/")[2]
    return "failure.json" if name.startswith("failed-") else name


def positions_of(kind: Kind, tenth: int, calls: int) -> list[int]:
    """Which calls of a run a fault of a kind strikes, of every tenth from `tenth` on.

    In `make test` each call has one kind of fault, and all with full effort.
    """
    step = effort(len(KINDS), 1)
    return [at for at in range(tenth, calls, 10) if (at + KINDS.index(kind)) % step == 0]
