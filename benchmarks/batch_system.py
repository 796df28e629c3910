"""One local engine for the batch benchmark, and the ways in: the HTTP API and the emulated AWS."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.batch_meter import METER_PATH
from local.deploy.clients import client
from local.engine import LocalSystem, start
from local.settings import USER_NAME, DataFolder

_POLL_S = 0.1
_DEADLINE_S = 3600.0
_STRIDE = 217
"""Without a factor in common with the 600 combinations, so that any few of them are mixed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One batch from its POST to its end; seconds from the same start.

    `finished_s` is when the execution has ended: the job is completed and log.txt is written.
    """

    job_id: str
    accepted_s: float
    finished_s: float
    events: Counter[str]

    @property
    def transitions(self) -> int:
        """State transitions: what Step Functions bills, one for each state entered."""
        return sum(n for kind, n in self.events.items() if kind.endswith("StateEntered"))

    @property
    def invocations(self) -> int:
        """Lambda invocations that the workflow asked for, tried again or not."""
        return self.events["TaskScheduled"]


class Refused(Exception):
    """The API refused a request; `code` is its machine code, `detail` what it says."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class BenchmarkSystem:
    """A running engine, signed in to."""

    def __init__(self, local: LocalSystem) -> None:
        self._local = local
        outputs = {name: text for stack in local.outputs.values() for name, text in stack.items()}
        self._workflows = client("stepfunctions", local.api_url)
        self._machine = outputs["GenerateBatchStateMachineArn"]
        session = client("cognito-idp", local.api_url).initiate_auth(
            ClientId=outputs["UserPoolClientId"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": USER_NAME, "PASSWORD": local.password},
        )
        self._token = session["AuthenticationResult"]["AccessToken"]
        self._combinations = self._all_combinations()

    @property
    def api_url(self) -> str:
        """Where the engine answers, also as the emulated AWS."""
        return self._local.api_url

    @property
    def owner_id(self) -> str:
        """The user that requests are made for."""
        claims = self._token.split(".")[1]
        padded = claims + "=" * (-len(claims) % 4)
        return str(json.loads(base64.urlsafe_b64decode(padded))["sub"])

    @property
    def process(self) -> int:
        """The id of the engine's process, from which all others descend."""
        return self._local.process.pid

    def run(
        self, items: int, *, workers: int = 3, calls: int | None = None, lane: str | None = None
    ) -> Run:
        """Write a batch to its end; raises RuntimeError when an item was not written."""
        began = time.monotonic()
        job_id, accepted_s = self.create(items, workers=workers, calls=calls, lane=lane)
        execution = f"{self._machine.replace(':stateMachine:', ':execution:')}:{job_id}-1"
        while self._workflows.describe_execution(executionArn=execution)["status"] == "RUNNING":
            if time.monotonic() - began > _DEADLINE_S:
                raise TimeoutError(f"A batch of {items} items did not end.")
            time.sleep(_POLL_S)
        finished_s = time.monotonic() - began
        written = self.request("GET", f"/api/batch-jobs/{job_id}")["job"]["successfulItems"]
        if written != items:
            raise RuntimeError(f"Of {items} items, {written} were written: nothing to measure.")
        return Run(job_id, accepted_s, finished_s, self._events(execution))

    def create(
        self, items: int, *, workers: int = 3, calls: int | None = None, lane: str | None = None
    ) -> tuple[str, float]:
        """Have a batch accepted; gives the job's id and the seconds it took."""
        body = {
            "name": f"Benchmark of {items}",
            "parameterSets": [
                {"parameters": self._combinations[n * _STRIDE % len(self._combinations)]}
                for n in range(items)
            ],
            "concurrentProcessing": workers,
            **({"callsPerWorker": calls} if calls else {}),
            **({"lane": lane} if lane else {}),
        }
        began = time.monotonic()
        job = self.request("POST", "/api/conversations/generate-batch", body)
        return job["jobId"], time.monotonic() - began

    def script_claude(self, *faults: dict[str, Any]) -> None:
        """Give the simulator faults, as its control route takes them."""
        stacks = client("cloudformation", self._local.api_url)
        described = stacks.describe_stacks(StackName="BrightRunWorkflows")["Stacks"][0]
        values = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
        request = urllib.request.Request(
            f"{values['ClaudeBaseUrl']}/_simulator/faults",
            data=json.dumps(faults).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            response.read()

    def counts(self) -> Counter[str]:
        """What the meter of a metered engine has counted so far."""
        return Counter(self.request("GET", METER_PATH))

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the engine; raises Refused."""
        request = urllib.request.Request(
            self._local.api_url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self._token}",
            },
        )
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, json.load(error)) from None

    def _all_combinations(self) -> list[dict[str, str]]:
        kinds = {
            "persona_id": ("personas", "personas"),
            "emotional_arc_id": ("emotional-arcs", "emotional_arcs"),
            "training_topic_id": ("training-topics", "training_topics"),
        }
        ids = [
            [record["id"] for record in self.request("GET", f"/api/scaffolding/{path}")[name]]
            for path, name in kinds.values()
        ]
        return [dict(zip(kinds, chosen, strict=True)) for chosen in itertools.product(*ids)]

    def _events(self, execution: str) -> Counter[str]:
        pages = self._workflows.get_paginator("get_execution_history").paginate(
            executionArn=execution
        )
        return Counter(event["type"] for page in pages for event in page["events"])


@contextmanager
def engine(
    template_dir: Path, *, call_seconds: float, metered: bool = False
) -> Iterator[BenchmarkSystem]:
    """An engine on a free port over a folder of its own, whose calls to Claude take so long."""
    with TemporaryDirectory(prefix="brightrun-benchmark-") as folder:
        environ = {name: text for name, text in os.environ.items() if name in {"PATH", "HOME"}}
        environ["BRIGHTRUN_SIMULATOR_LATENCY"] = str(call_seconds)
        data_dir = Path(folder)
        local = (
            _start_metered(data_dir, template_dir, environ)
            if metered
            else start(port=0, data_dir=data_dir, template_dir=template_dir, environ=environ)
        )
        try:
            yield BenchmarkSystem(local)
        finally:
            local.stop()


def _start_metered(data_dir: Path, template_dir: Path, environ: dict[str, str]) -> LocalSystem:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "benchmarks.batch_meter",
            f"--data-dir={data_dir}",
            f"--template-dir={template_dir.absolute()}",
        ],
        cwd=Path(__file__).parents[1],
        env=environ,
        stdout=subprocess.PIPE,
    )
    if process.stdout is None or not (ready := process.stdout.readline()):
        raise RuntimeError(f"The metered engine ended with code {process.wait()}.")
    return LocalSystem(json.loads(ready), DataFolder(data_dir), process)
