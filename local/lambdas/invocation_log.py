"""A line in the log of a function for every invocation, as the reports of Lambda are.

It holds no body: what was asked for by route or by the ids in the event, how it ended, how long it
took. Field names are those of the functions' own JSON log lines.
"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.durability.room import is_disk_full
from local.lambdas.function import Function, Invocation


def log_invocation(
    function: Function, request_id: str, event: Any, invocation: Invocation, began: float
) -> None:
    """Append the line of an invocation that began at ``time.monotonic()`` of ``began``."""
    line = {
        "level": "ERROR" if invocation.failed else "INFO",
        "message": "invocation",
        "timestamp": log_time(),
        "service": function.log_file.stem,
        "function_request_id": request_id,
        **_request_of(event),
        **_outcome_of(invocation),
        "duration_ms": round((time.monotonic() - began) * 1000),
    }
    _append(function.log_file, json.dumps(line))


def log_time() -> str:
    """Return the time as the functions' log lines have it."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03}+0000"


def _request_of(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        return {}
    http = (event.get("requestContext") or {}).get("http") or {}
    if http:
        return {"request": f"{http.get('method')} {http.get('path')}"}
    return {
        name: value
        for name, value in event.items()
        if isinstance(value, str) and name.lower().endswith("id")
    }


def _outcome_of(invocation: Invocation) -> dict[str, Any]:
    payload = invocation.payload if isinstance(invocation.payload, dict) else {}
    if invocation.failed:
        return {"error_type": payload.get("errorType")}
    status = payload.get("statusCode", payload.get("status"))
    return {} if status is None else {"status": status}


def _append(log_file: Path, line: str) -> None:
    try:
        with log_file.open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")
    except OSError as error:
        if not is_disk_full(error):
            raise
