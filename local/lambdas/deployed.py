"""All functions of the deployed stacks: finds or starts the pool of the one to be invoked."""

import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.lambdas.channel import ChannelClosed
from local.lambdas.code_cache import CodeCache
from local.lambdas.function import Function, Invocation
from local.lambdas.pool import FunctionPool
from local.lambdas.template import Templates
from local.settings import ACCOUNT, HOST, aws_variables

CONCURRENCY = 20
"""Invocations of one function at a time; two batches of ten workers each."""

_PASSED_ON = {
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
}
"""Variables of this process that functions see, in capitals or not; no credentials, no keys."""


class DeployedFunctions:
    """One pool per function and deployed version of it."""

    def __init__(self, code: CodeCache, logs: Path, port: int, lifeline: int) -> None:
        self._code = code
        self._logs = logs
        self._port = port
        self._templates = Templates(lifeline)
        self._lock = threading.Lock()
        self._pools: dict[str, tuple[str, FunctionPool]] = {}

    def execute(
        self, config: dict[str, Any], code: bytes, layers: list[bytes], event: Any
    ) -> Invocation:
        """Invoke a function as deployed: its configuration and the archives of code and layers."""
        return self._pool(config, code, layers).invoke(event)

    def close(self) -> None:
        """End all workers, in the middle of an invocation too."""
        with self._lock:
            pools = [pool for _, pool in self._pools.values()]
            self._pools.clear()
        for pool in pools:
            pool.close()
        self._templates.close()

    def preload(self, deployed: Iterable[tuple[dict[str, Any], bytes, list[bytes]]]) -> None:
        """Start the processes that the workers of these functions will be forked from."""
        with suppress(ChannelClosed):  # the engine is stopping already
            for config, code, layers in deployed:
                self._templates.start(self._function(config, code, layers))

    def _pool(self, config: dict[str, Any], code: bytes, layers: list[bytes]) -> FunctionPool:
        name = config["FunctionName"]
        version = json.dumps(
            [config.get(part) for part in ("CodeSha256", "Layers", "Environment", "Handler")]
            + [config.get("Timeout"), config.get("MemorySize")],
            default=str,
        )
        with self._lock:
            known = self._pools.get(name)
            if known is not None and known[0] == version:
                return known[1]
            function = self._function(config, code, layers)
            pool = FunctionPool(function, self._templates, concurrency=CONCURRENCY)
            self._pools[name] = (version, pool)
        if known is not None:
            known[1].close()
        return pool

    def _function(self, config: dict[str, Any], code: bytes, layers: list[bytes]) -> Function:
        task_root = self._code.extract(code)
        path = (task_root, *(self._code.extract(layer) / "python" for layer in layers))
        variables = (config.get("Environment") or {}).get("Variables") or {}
        name = config["FunctionName"]
        return Function(
            name=name,
            arn=config["FunctionArn"],
            handler=config["Handler"],
            path=path,
            environment=self._environment(config, variables, path),
            timeout_seconds=float(config.get("Timeout", 3)),
            memory_mb=int(config.get("MemorySize", 128)),
            log_file=self._logs / f"{variables.get('POWERTOOLS_SERVICE_NAME', name)}.log",
        )

    def _environment(
        self, config: dict[str, Any], variables: dict[str, str], path: tuple[Path, ...]
    ) -> dict[str, str]:
        return {
            **{name: text for name, text in os.environ.items() if name.upper() in _PASSED_ON},
            **variables,
            **aws_variables(f"http://{HOST}:{self._port}"),
            "AWS_ACCOUNT_ID": ACCOUNT,
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(path[0]),
            "TZ": ":UTC",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_METRICS_DISABLED": "true",  # nobody here reads them out of the log
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in path),
            "_HANDLER": config["Handler"],
        }
