"""Inline Map states: the same states for every item, up to MaxConcurrency at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.workflows import paths
from local.workflows.cancellation import Cancelled
from local.workflows.failures import RUNTIME, StateFailed
from local.workflows.frames import Frame, State
from local.workflows.history import History
from local.workflows.templates import fill

UNLIMITED_CONCURRENCY = 40
"""Iterations an inline Map runs at a time when MaxConcurrency is 0.

Source: developer guide, "Inline mode": up to 40 concurrent iterations."""

RunStates = Callable[[dict[str, State], str, Any, Frame], Any]


def run(
    state: State, data: Any, frame: Frame, history: History, run_states: RunStates
) -> list[Any]:
    """Run the Map's states once per item and return their outputs in the items' order.

    The first failing iteration fails the Map: iterations under way end at their next state, the
    others do not start. Raises StateFailed (that iteration's), Cancelled.
    """
    items = paths.read(state.get("ItemsPath", "$"), data, frame.context)
    if not isinstance(items, list):
        raise StateFailed(RUNTIME, "ItemsPath of the Map state must lead to an array.")
    history.add("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
    iterations = _Iterations(state, data, frame, history, run_states)
    concurrency = state.get("MaxConcurrency", 0) or UNLIMITED_CONCURRENCY
    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(items)))) as pool:
        outputs = list(pool.map(iterations.run, range(len(items)), items))
    frame.scope.check()
    if iterations.failure is not None:
        history.add("MapStateFailed")
        raise iterations.failure
    history.add("MapStateSucceeded")
    return outputs


class _Iterations:
    """The iterations of one Map attempt, and the failure that ended it."""

    def __init__(
        self, state: State, data: Any, frame: Frame, history: History, run_states: RunStates
    ) -> None:
        self._state = state
        self._data = data
        self._context = frame.context
        self._scope = frame.scope.inner()
        self._history = history
        self._run_states = run_states
        self.failure: StateFailed | None = None

    def run(self, index: int, item: Any) -> Any:
        details = {"name": self._context["State"]["Name"], "index": index}
        try:
            self._scope.check()
            self._history.add("MapIterationStarted", mapIterationStartedEventDetails=details)
            output = self._iterate(index, item)
            self._history.add("MapIterationSucceeded", mapIterationSucceededEventDetails=details)
        except Cancelled:
            return None
        except StateFailed as failure:
            self.failure = self.failure or failure
            self._scope.cancel()
            self._history.add("MapIterationFailed", mapIterationFailedEventDetails=details)
            return None
        return output

    def _iterate(self, index: int, item: Any) -> Any:
        context = {**self._context, "Map": {"Item": {"Index": index, "Value": item}}}
        value = item
        if "ItemSelector" in self._state:
            value = fill(self._state["ItemSelector"], self._data, context)
        processor = self._state["ItemProcessor"]
        frame = Frame(context, self._scope)
        return self._run_states(processor["States"], processor["StartAt"], value, frame)
