"""What a batch costs on AWS beside Claude: measured requests times list prices.

Prices of us-east-1 in US dollars without any free tier, from the pricing pages of the services as
of November 2026. Measured: requests, request units, state transitions and events, from a run of the
deployed templates. Modelled: how long the worker functions wait for Claude, lease renewals (a run
against the simulator is over too soon to need any), bytes of platform logs, calls to KMS.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch_counts import Usage
from brightrun.batches.call_limit import CALL_MARGIN_S
from brightrun.core.limits import CALL_TIMEOUT_S

LAMBDA_ARM_GB_S = 0.0000133334
LAMBDA_REQUEST = 0.20e-6
STATE_TRANSITION = 25e-6
WRITE_UNIT = 0.625e-6
READ_UNIT = 0.125e-6
S3_PUT = 0.005e-3
S3_GET = 0.0004e-3
HTTP_API_REQUEST = 1e-6
LOG_BYTE = 0.50e-9
KMS_REQUEST = 0.03e-4
SECRET_REQUEST = 0.05e-4

CALL_S = 55.0
"""One call to Claude: the median of v1's 155 stored conversations."""

START_S = 3.0
"""What a worker's turn takes before its first call and after its last answer, a cold start in it:
1.3 s of CPU to import and a second or so to read the job and to claim, as measured locally."""

_BYTES_PER_EVENT = 500
_BYTES_PER_INVOCATION = 1000
"""CloudWatch: a workflow's event without data, and Lambda's START, END and REPORT lines."""

_MB_OF_A_PROCESSOR = 1769
"""Source: Lambda developer guide, "Configure Lambda function memory"."""

_KMS_REQUESTS = 400
"""DynamoDB asks for a table's key once in five minutes a connection with traffic, so: 3 workers,
8 connections each, 5 tables, 3 times in a batch's quarter of an hour, and some for the others.

Source: DynamoDB developer guide, "Encryption at rest: how it works".
"""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the templates say of the worker function: MB, seconds, seconds."""

    memory_mb: int
    timeout_s: int
    lease_s: int

    @classmethod
    def of(cls, template_dir: Path) -> Deployment:
        """Read the synthesized template."""
        text = (template_dir / "BrightRunWorkflows.template.json").read_text(encoding="utf-8")
        template = json.loads(text)
        worker = next(
            resource["Properties"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::Lambda::Function" and _is_worker(resource["Properties"])
        )
        lease_s = template["Parameters"]["LeaseSeconds"]["Default"]
        return cls(worker["MemorySize"], worker["Timeout"], lease_s)


@dataclass(frozen=True, slots=True)
class Load:
    """One job: its items, its workers, and the calls that each keeps in flight."""

    items: int = 1000
    workers: int = 3
    calls: int = 25
    call_s: float = CALL_S

    def turns(self, deployment: Deployment) -> int:
        """Invocations that a worker needs: in its last minutes a function claims nothing more."""
        claiming_s = deployment.timeout_s - CALL_TIMEOUT_S - CALL_MARGIN_S
        return max(1, math.ceil(self._waves * self.call_s / claiming_s))

    def billed_s(self, deployment: Deployment) -> float:
        """Seconds of all worker functions: full of calls, and half full as each turn ends."""
        turns = self.turns(deployment)
        ending_s = turns * (self.call_s / 2 + START_S)
        return self.workers * (self._waves * self.call_s + ending_s)

    def renewals(self, deployment: Deployment) -> float:
        """Lease renewals of all items: three in the length of a lease."""
        return self.items * self.call_s / (deployment.lease_s / 3)

    @property
    def _waves(self) -> int:
        return math.ceil(self.items / (self.workers * self.calls))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill."""

    name: str
    quantity: float
    price: float

    @property
    def dollars(self) -> float:
        """Quantity times price."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Workflow:
    """What one execution was measured to have: state transitions, events, invocations."""

    transitions: int
    events: int
    invocations: int


def bill(load: Load, usage: Usage, workflow: Workflow, deployment: Deployment) -> list[Line]:
    """What the job costs; `usage` is that of the whole job."""
    more_turns = load.workers * (load.turns(deployment) - 1)
    # One more turn is a Task and a Choice: 7 events, of which 2 are transitions.
    invocations = workflow.invocations + more_turns + 1
    log_bytes = (workflow.events + 7 * more_turns) * _BYTES_PER_EVENT
    log_bytes += invocations * _BYTES_PER_INVOCATION
    gb_s = load.billed_s(deployment) * deployment.memory_mb / 1024
    return [
        Line("Lambda, GB-s of waiting workers", gb_s, LAMBDA_ARM_GB_S),
        Line("DynamoDB, write units", usage.write_units, WRITE_UNIT),
        Line("DynamoDB, write units of renewals", load.renewals(deployment), WRITE_UNIT),
        Line("DynamoDB, read units", usage.read_units, READ_UNIT),
        Line("S3, PUT", usage.puts, S3_PUT),
        Line("S3, GET", usage.gets, S3_GET),
        Line(
            "Step Functions, transitions", workflow.transitions + 2 * more_turns, STATE_TRANSITION
        ),
        Line("Lambda, requests", invocations, LAMBDA_REQUEST),
        Line("API Gateway, requests", 1, HTTP_API_REQUEST),
        Line("CloudWatch, log bytes", log_bytes, LOG_BYTE),
        Line("KMS, requests for table keys", _KMS_REQUESTS, KMS_REQUEST),
        Line("Secrets Manager, requests", load.workers, SECRET_REQUEST),
    ]


def economy_bill(
    usage: Usage, workflow: Workflow, deployment: Deployment, *, cpu_s: float
) -> list[Line]:
    """What a job in the economy lane costs, where no worker waits for Claude.

    `cpu_s` is what its workers computed; Lambda gives a function a processor for 1,769 MB, and less
    of one in proportion.
    """
    billed_s = cpu_s / min(1.0, deployment.memory_mb / _MB_OF_A_PROCESSOR)
    log_bytes = workflow.events * _BYTES_PER_EVENT + workflow.invocations * _BYTES_PER_INVOCATION
    return [
        Line("Lambda, GB-s of workers", billed_s * deployment.memory_mb / 1024, LAMBDA_ARM_GB_S),
        Line("DynamoDB, write units", usage.write_units, WRITE_UNIT),
        Line("DynamoDB, read units", usage.read_units, READ_UNIT),
        Line("S3, PUT", usage.puts, S3_PUT),
        Line("S3, GET", usage.gets, S3_GET),
        Line("Step Functions, transitions", workflow.transitions, STATE_TRANSITION),
        Line("Lambda, requests", workflow.invocations + 1, LAMBDA_REQUEST),
        Line("API Gateway, requests", 1, HTTP_API_REQUEST),
        Line("CloudWatch, log bytes", log_bytes, LOG_BYTE),
        Line("KMS, requests for table keys", _KMS_REQUESTS, KMS_REQUEST),
        Line("Secrets Manager, requests", workflow.invocations, SECRET_REQUEST),
    ]


def total(lines: Sequence[Line]) -> float:
    """The sum of a bill in dollars."""
    return sum(line.dollars for line in lines)


def _is_worker(properties: dict[str, Any]) -> bool:
    variables: dict[str, str] = properties.get("Environment", {}).get("Variables", {})
    return variables.get("POWERTOOLS_SERVICE_NAME") == "process_next"
