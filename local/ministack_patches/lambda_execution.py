"""Runs functions in the engine's own worker pools.

Reason: ministack's executor reports every error as Runtime.HandlerError, so that no Retry or
Catch by class matches, starts another process after an error, adds 50 ms to every invocation,
and keeps log lines and metrics of all invocations in memory.
"""

from collections.abc import Callable, Iterator
from typing import Any

from local.lambdas.function import Invocation

Deployed = tuple[dict[str, Any], bytes, list[bytes]]
"""A function's configuration, its code archive, and its layers' archives."""
Execute = Callable[[dict[str, Any], bytes, list[bytes], Any], Invocation]
"""Runs a function: as deployed, and the event."""


def install(execute: Execute) -> None:
    """Run every invocation of a Python function with ``execute``."""
    from ministack.services import lambda_svc

    def run(function: dict[str, Any], event: Any, _request_id: str) -> dict[str, Any]:
        invocation = execute(*_as_deployed(function), event)
        return {"body": invocation.payload, "error": invocation.failed, "log": ""}

    lambda_svc._execute_function_warm = run
    lambda_svc._emit_lambda_logs = _nothing
    lambda_svc._emit_lambda_metrics = _nothing


def deployed() -> Iterator[Deployed]:
    """All functions that are deployed."""
    from ministack.services import lambda_svc

    for function in lambda_svc._functions.all_values():
        if function.get("code_zip"):
            yield _as_deployed(function)


def _as_deployed(function: dict[str, Any]) -> Deployed:
    from ministack.services import lambda_svc

    config = function.get("config") or function
    layers = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or ()]
    return config, function["code_zip"], [archive for archive in layers if archive]


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """Discard log lines and metrics: the workers write their log files themselves."""
