"""Runs executions from start or resume point to end, recording each step as it happens."""

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.durability.execution_store import Execution, ExecutionStore
from local.durability.room import DiskFull, when_there_is_room
from local.workflows.cancellation import Cancellation, Cancelled
from local.workflows.failures import RUNTIME, StateFailed
from local.workflows.frames import Frame
from local.workflows.history import History
from local.workflows.interpreter import Interpreter

_log = logging.getLogger(__name__)

InvokeFor = Callable[[str, str, Any], Any]
"""Invokes a function on behalf of an execution: its ARN, the function, the payload."""

_EVENTS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut"}


@dataclass(frozen=True)
class Run:
    """An execution under way: its record, its history and the scope of its states."""

    execution: Execution
    history: History
    scope: Cancellation


class ExecutionRunner:
    """Runs executions, each in the thread that calls ``run``.

    An execution record is a dict as DescribeExecution shows it, with its ``events`` and the
    ``resume`` point: the state of the outermost level entered last, and its input. A resumed
    execution enters that state again: at least once, as its Tasks are retried anyway.
    ``status_lock`` guards every change of a record's status.

    Tasks begin only after ``admit`` has returned; it gets the wait that ends with the execution.
    While the disk has no room for a step, the execution waits, however long.
    """

    def __init__(
        self,
        store: ExecutionStore,
        invoke: InvokeFor,
        *,
        forget: Callable[[list[str]], None],
        admit: Callable[[Callable[[float], None]], None] = lambda _wait: None,
    ) -> None:
        self._store = store
        self._invoke = invoke
        self._forget = forget
        self._admit = admit
        self._runs: dict[str, Run] = {}
        self._closed = False
        self.status_lock = threading.RLock()

    def started(self, execution: Execution) -> None:
        """Store a new execution, before StartExecution is answered.

        Raises DiskFull; the execution then never runs.
        """
        try:
            self._store.save(execution)
            for event in execution["events"]:
                self._store.append(execution["executionArn"], event)
        except DiskFull:
            execution["status"] = "FAILED"
            self._store.discard(execution["executionArn"])
            raise

    def run(self, execution: Execution, machine: dict[str, Any]) -> None:
        """Run an execution to its end and complete its record."""
        arn = execution["executionArn"]
        scope = Cancellation()
        history = History(
            execution["events"], lambda event: self._store.append(arn, event), wait=scope.wait
        )
        run = Run(execution, history, scope)
        with self.status_lock:
            if self._closed or execution["status"] != "RUNNING":
                return
            self._runs[arn] = run
        _log.info("Execution %s of %s runs.", execution["name"], machine["name"])
        definition = json.loads(machine["definition"])
        expiry = self._expire_in_time(run, definition.get("TimeoutSeconds"))
        try:
            output = self._run_states(run, definition, machine["name"])
            self._complete(run, "SUCCEEDED", output=json.dumps(output))
        except Cancelled:
            return
        except StateFailed as failure:
            self._complete(run, "FAILED", error=failure.error, cause=failure.cause)
        except Exception as problem:
            self._complete(run, "FAILED", error=RUNTIME, cause=repr(problem))
            raise
        finally:
            expiry.cancel()

    def detach(self, execution: Execution) -> Run | None:
        """Stop recording an execution before it is aborted; None if it has not begun."""
        with self.status_lock:
            run = self._runs.pop(execution["executionArn"], None)
        if run is not None:
            run.history.seal()
        return run

    def stopped(self, execution: Execution, run: Run | None) -> None:
        """Store an execution that was detached and aborted, and cancel its states.

        Where the disk has no room for that, it is stored later: the caller must not wait.
        """
        unstored = execution["events"][-1:]
        execution.pop("resume", None)
        if run is not None:
            run.scope.cancel()

        def store() -> None:
            with self.status_lock:
                while unstored:
                    self._store.append(execution["executionArn"], unstored[0])
                    del unstored[0]
                self._forget(self._store.finish(execution))

        try:
            store()
        except DiskFull:
            later = threading.Thread(
                target=when_there_is_room, args=(store, time.sleep), daemon=True
            )
            later.start()

    def close(self) -> None:
        """Cancel all executions without completing them, to be resumed later."""
        with self.status_lock:
            self._closed = True
            runs = list(self._runs.values())
        for run in runs:
            run.history.seal()
            run.scope.cancel()

    def _run_states(self, run: Run, definition: dict[str, Any], machine_name: str) -> Any:
        execution, scope = run.execution, run.scope
        arn, data = execution["executionArn"], json.loads(execution["input"])

        def entered(name: str, value: Any) -> None:
            when_there_is_room(lambda: self._save_resume_point(execution, name, value), scope.wait)

        def invoke(function: str, payload: Any) -> Any:
            try:
                return self._invoke(arn, function, payload)
            finally:
                scope.check()  # what a worker killed at a stop reports is not the task's result

        context = {
            "Execution": {
                "Id": arn,
                "Input": data,
                "Name": execution["name"],
                "StartTime": execution["startDate"],
            },
            "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine_name},
        }
        resume = execution.get("resume") or {"state": definition["StartAt"], "input": data}
        return Interpreter(invoke, run.history, admit=self._admit).run(
            definition["States"], resume["state"], resume["input"], Frame(context, scope, entered)
        )

    def _expire_in_time(self, run: Run, limit_seconds: float | None) -> threading.Timer:
        started = datetime.fromisoformat(run.execution["startDate"]).timestamp()
        remaining = max(0.0, started + (limit_seconds or 0) - time.time())
        timer = threading.Timer(remaining, self._complete, (run, "TIMED_OUT"))
        timer.daemon = True
        if limit_seconds is not None:
            timer.start()
        return timer

    def _save_resume_point(self, execution: Execution, name: str, value: Any) -> None:
        with self.status_lock:
            if self._closed or execution["status"] != "RUNNING":
                raise Cancelled
            execution["resume"] = {"state": name, "input": value}
            self._store.save(execution)

    def _complete(self, run: Run, status: str, **result: str) -> None:
        with suppress(Cancelled):
            when_there_is_room(lambda: self._store_end(run, status, result), run.scope.wait)

    def _store_end(self, run: Run, status: str, result: dict[str, str]) -> None:
        execution = run.execution
        with self.status_lock:
            if self._closed or execution["status"] != "RUNNING":
                return
            event = f"Execution{_EVENTS[status]}"
            details = f"{event[0].lower()}{event[1:]}EventDetails"
            run.history.close(event, **{details: dict(result)} if result else {})
            stopped = datetime.now(UTC).isoformat()
            ended = {**execution, **result, "status": status, "stopDate": stopped}
            ended.pop("resume", None)
            gone = self._store.finish(ended)
            execution.update(ended)
            execution.pop("resume", None)
            del self._runs[execution["executionArn"]]
            self._forget(gone)
        run.scope.cancel()
        level = logging.INFO if status == "SUCCEEDED" else logging.ERROR
        reason = f" with {result['error']}" if "error" in result else ""
        _log.log(level, "Execution %s has %s%s.", execution["name"], status.lower(), reason)
