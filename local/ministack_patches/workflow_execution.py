"""Runs executions of state machines with ``local.workflows`` and keeps them on disk.

Reasons: ministack's interpreter ignores MaxDelaySeconds, JitterStrategy and the execution's
TimeoutSeconds, turns a missing path into null, lets Map iterations run on after StopExecution,
does not know StartExecution's idempotency, and fails every running execution at a restart.
"""

import copy
import json
import threading
from typing import Any

from local.durability.execution_store import Execution, ExecutionStore
from local.durability.room import DiskFull, DiskRoom
from local.workflows.execution import ExecutionRunner
from local.workflows.failures import StateFailed


class WorkflowExecution:
    """Ministack's state machines, run by an ExecutionRunner over an ExecutionStore."""

    def __init__(self, store: ExecutionStore, room: DiskRoom) -> None:
        from ministack.services import stepfunctions

        self._stepfunctions = stepfunctions
        self._store = store
        self._runner = ExecutionRunner(store, self._invoke, forget=self._forget, admit=room.wait)
        self._start = stepfunctions._start_execution
        self._stop = stepfunctions._stop_execution

    def install(self) -> None:
        """Take over the running of executions."""
        self._stepfunctions._start_execution = self._start_once
        self._stepfunctions._stop_execution = self._stop_and_cancel
        self._stepfunctions._run_execution = self._run
        self._stepfunctions.get_state = self._state_without_executions

    def restore(self) -> list[str]:
        """Restore the executions of known state machines; returns the ARNs of running ones."""
        running = []
        for execution in self._store.load():
            arn = execution["executionArn"]
            scope = _scope_of(arn)
            if not self._machines().contains_scoped(*scope, execution["stateMachineArn"]):
                continue
            self._executions().set_scoped(*scope, arn, execution)
            if execution["status"] == "RUNNING":
                running.append(arn)
        return running

    def resume(self, arns: list[str]) -> None:
        """Resume executions that were running at the last stop."""
        for arn in arns:
            threading.Thread(target=self._run, args=(arn,), name="execution", daemon=True).start()

    def close(self) -> None:
        """Leave running executions where they are, to be resumed at the next start."""
        self._runner.close()
        self._store.close()

    def _executions(self) -> Any:
        return self._stepfunctions._executions

    def _machines(self) -> Any:
        return self._stepfunctions._state_machines

    def _run(self, arn: str) -> None:
        scope = _scope_of(arn)
        execution = self._executions().get_scoped(*scope, arn)
        if execution is None:  # there was no room on the disk for its beginning
            return
        machine = self._machines().get_scoped(*scope, execution["stateMachineArn"])
        self._runner.run(execution, machine)

    def _invoke(self, execution_arn: str, function: str, payload: Any) -> Any:
        from ministack.core.responses import set_request_account_id, set_request_region

        account, region = _scope_of(execution_arn)
        set_request_account_id(account)
        set_request_region(region)
        try:
            return self._stepfunctions._call_lambda(function, payload)
        except self._stepfunctions._ExecutionError as failure:
            raise StateFailed(failure.error, failure.cause) from None

    def _start_once(self, request: dict[str, Any]) -> Any:
        """Answer a repeated start with the running execution; keep a new one before answering."""
        from ministack.core.responses import error_response_json, json_response

        running = self._find_by_name(request)
        if running is not None and running["input"] == request.get("input", "{}"):
            started = {
                "executionArn": running["executionArn"],
                "startDate": running["startDate"],
            }
            return json_response(started)
        with self._runner.status_lock:  # its thread waits until the execution is kept
            response = self._start(request)
            if response[0] == 200:
                arn = json.loads(response[2])["executionArn"]
                try:
                    self._runner.started(self._executions()[arn])
                except DiskFull as full:
                    self._forget([arn])
                    return error_response_json("InternalServerError", str(full), 500)
        return response

    def _find_by_name(self, request: dict[str, Any]) -> Execution | None:
        machine_arn, name = request.get("stateMachineArn", ""), request.get("name")
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        execution: Execution | None = self._executions().get(arn)
        return execution if execution and execution["status"] == "RUNNING" else None

    def _stop_and_cancel(self, request: dict[str, Any]) -> Any:
        with self._runner.status_lock:
            execution = self._executions().get(request.get("executionArn"))
            if execution is None or execution["status"] != "RUNNING":
                return self._stop(request)
            run = self._runner.detach(execution)
            response = self._stop(request)
            self._runner.stopped(execution, run)
        return response

    def _forget(self, arns: list[str]) -> None:
        for arn in arns:
            self._executions().pop_scoped(*_scope_of(arn), arn, None)

    def _state_without_executions(self) -> dict[str, Any]:
        return {
            "state_machines": copy.deepcopy(self._machines()),
            "tags": copy.deepcopy(self._stepfunctions._tags),
        }


def _scope_of(execution_arn: str) -> tuple[str, str]:
    _, _, _, region, account, *_ = execution_arn.split(":")
    return account, region
