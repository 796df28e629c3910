"""Invocations of one function, at most ``concurrency`` at a time."""

import json
import threading
import time
import uuid
from typing import Any

from local.lambdas.channel import ChannelClosed
from local.lambdas.function import MAX_PAYLOAD_BYTES, Function, Invocation, failure
from local.lambdas.invocation_log import log_invocation
from local.lambdas.template import InitFailed, Templates, Worker
from local.lambdas.warm_workers import WarmWorkers


class FunctionPool:
    """Invokes one function; invocations beyond ``concurrency`` wait for a free worker.

    AWS would throttle them instead and its callers retry; waiting gives the same results.
    """

    def __init__(self, function: Function, templates: Templates, *, concurrency: int) -> None:
        self._function = function
        self._slots = threading.BoundedSemaphore(concurrency)
        self.workers = WarmWorkers(function, templates)

    def invoke(self, event: Any) -> Invocation:
        """Run one invocation and return its outcome; errors of any kind are outcomes too."""
        if _bytes_of(json.dumps(event, ensure_ascii=False)) > MAX_PAYLOAD_BYTES:
            message = f"Request must be smaller than {MAX_PAYLOAD_BYTES} bytes."
            return failure("RequestTooLargeException", message)
        with self._slots:
            request_id, began = str(uuid.uuid4()), time.monotonic()
            invocation = self._invoke(event, request_id)
            log_invocation(self._function, request_id, event, invocation, began)
            return invocation

    def close(self) -> None:
        """End all workers, in the middle of an invocation too."""
        self.workers.close()

    def _invoke(self, event: Any, request_id: str) -> Invocation:
        try:
            worker = self.workers.take()
        except InitFailed as error:
            return Invocation(error.error, failed=True)
        except ChannelClosed:
            return failure("Runtime.ExitError", "The runtime could not start a worker.")
        return self._run(worker, event, request_id)

    def _run(self, worker: Worker, event: Any, request_id: str) -> Invocation:
        timeout = self._function.timeout_seconds
        context = self._context(request_id)
        try:
            worker.channel.send({"event": event, "timeout_seconds": timeout, "context": context})
            outcome = worker.channel.receive(timeout)
        except TimeoutError:
            self.workers.discard(worker)
            message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            return failure("Sandbox.Timedout", message)
        except ChannelClosed:
            self.workers.discard(worker)
            message = f"RequestId: {request_id} Error: Runtime exited unexpectedly"
            return failure("Runtime.ExitError", message)
        self.workers.give_back(worker)
        return _outcome(outcome)

    def _context(self, request_id: str) -> dict[str, Any]:
        function = self._function
        return {
            "function_name": function.name,
            "function_version": "$LATEST",
            "invoked_function_arn": function.arn,
            "memory_limit_in_mb": str(function.memory_mb),
            "aws_request_id": request_id,
            "log_group_name": f"/aws/lambda/{function.name}",
            "log_stream_name": "local",
        }


def _outcome(message: dict[str, Any]) -> Invocation:
    if "error" in message:
        return Invocation(message["error"], failed=True)
    if _bytes_of(message["result"]) > MAX_PAYLOAD_BYTES:
        return failure(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES}"
            " bytes).",
        )
    return Invocation(json.loads(message["result"]))


def _bytes_of(payload: str) -> int:
    return len(payload.encode(errors="surrogatepass"))
