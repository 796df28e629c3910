"""The batch machinery on moto, wired as the functions wire it, with a scripted Claude."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3

from brightrun.batches.create_batch import BatchRequest
from brightrun.batches.model import BatchItem, BatchJob, Lane
from brightrun.batches.planner import ParameterSet
from brightrun.batches.workflow import Round, RoundResult, WorkerInvocation, WorkerResult
from brightrun.claude.model import Completion, Prompt
from brightrun.core.errors import ClaudeCallError
from brightrun.wiring import batch_jobs, finish_batch, generate, process_next
from brightrun.wiring import clients as wiring_clients
from brightrun.wiring.batch_tables import claims
from tests import builders as build
from tests.aws import environment, isolate, moto_aws
from tests.builders import START, SteppedClock
from tests.stateful.stores import Store, conversations_in

PLENTY_S = 890.0
PERSONAS = {
    "overwhelmed_avoider": "Marcus Chen",
    "anxious_planner": "Jennifer Martinez",
    "pragmatic_optimist": "David Chen",
}
"""The names under which the three items' prompts are known apart."""

BUSY = ClaudeCallError("server_error", "Claude answered 500.", status=500, retryable=True)
GOOD = build.a_completion().text
NOT_JSON = "This is not JSON."
Answer = str | ClaudeCallError
Watch = Callable[[str], None]


class ClaudeByPersona:
    """Claude: each persona's calls play answers of their own, the last one for ever.

    `paid` counts the answers given. `before` and `after` hear of every call.
    """

    def __init__(self, script: dict[str, list[Answer]]) -> None:
        self.script = {name: list(answers) for name, answers in script.items()}
        self.calls: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.before: Watch = _nobody
        self.after: Watch = _nobody

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        name = next(key for key, name in PERSONAS.items() if name in prompt.user)
        self.before("Claude.write")
        self.calls[name] += 1
        answers = self.script[name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, ClaudeCallError):
            raise answer
        self.paid[name] += 1
        self.after("Claude.write")
        return build.a_completion(answer)

    async def close(self) -> None:
        """Nothing to give back."""


def _nobody(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class SharedServices:
    """What all processes of a batch share."""

    claude: ClaudeByPersona
    clock: SteppedClock
    machine_arn: str

    @contextmanager
    def around(self, clients: dict[str, Any]) -> Iterator[None]:
        """Let the composition root find these clients, this clock and this Claude."""
        variables = {
            **environment(),
            "GENERATE_BATCH_STATE_MACHINE_ARN": self.machine_arn,
            "RETRY_BASE_SECONDS": "8",
        }
        with (
            patch.dict(os.environ, variables),
            patch.multiple(
                wiring_clients,
                dynamodb=lambda: clients["dynamodb"],
                s3=lambda: clients["s3"],
                step_functions=lambda: clients["stepfunctions"],
                clock=self.clock,
            ),
            patch("brightrun.claude.client.anthropic_claude", lambda *_, **__: self.claude),
        ):
            yield


Clients = dict[str, Any]


def new_clients() -> Clients:
    """The AWS clients of one process."""
    client: Any = boto3.client
    names = ("dynamodb", "s3", "stepfunctions")
    clients = {name: client(name, region_name="us-east-1") for name in names}
    isolate(clients["dynamodb"])
    return clients


class BatchProcess:
    """One process's view of one batch; `another` is a second process on the same tables."""

    def __init__(
        self, services: SharedServices, clients: Clients, owner: str, job_id: str = ""
    ) -> None:
        self.services = services
        self.clients = clients
        self.owner = owner
        self.job_id = job_id
        with services.around(clients):
            # Past the caches: each process has its own.
            self._creator = generate.batch_creator.__wrapped__()
            self._runner = process_next.worker_runner.__wrapped__()
            self._finisher = finish_batch.batch_finisher.__wrapped__()
            self._reader = batch_jobs.batch_reader.__wrapped__()
            self._claims = claims(batch_jobs.BatchJobsSettings.from_environment())
            self.controls = batch_jobs.batch_controls.__wrapped__()

    @property
    def clock(self) -> SteppedClock:
        return self.services.clock

    @property
    def claude(self) -> ClaudeByPersona:
        return self.services.claude

    def another(self, clients: Clients) -> BatchProcess:
        return BatchProcess(self.services, clients, self.owner, self.job_id)

    lane: Lane = "realtime"
    done_in: timedelta | None = None
    """Order the batch to be done in so long, instead of in a lane."""

    def create(self) -> BatchJob:
        """Answer the request that makes the job, an item for each persona of Claude's script."""
        sets = [
            ParameterSet(persona, "confusion_to_clarity", "roth_ira_conversion")
            for persona in self.claude.script
        ]
        order = BatchRequest(
            name="A batch",
            sets=sets,
            concurrent_processing=len(sets),
            lane=self.lane,
            done_by=START + self.done_in if self.done_in else None,
        )
        job = self._creator.create(self.owner, order, "the-key").job
        self.job_id = job.job_id
        return job

    def turn(self, worker: int = 0) -> WorkerResult:
        """Let one worker take its turn."""
        request = WorkerInvocation(owner_id=self.owner, job_id=self.job_id, worker=worker)
        return self._runner.run(request, lambda: PLENTY_S)

    def finish(self, run: int = 1) -> RoundResult:
        """End a round of one of the job's runs."""
        return self._finisher.finish(
            Round(owner_id=self.owner, job_id=self.job_id, run=run, workers=[0])
        )

    def job(self) -> BatchJob:
        return self._reader.one(self.owner, self.job_id)

    def items(self) -> tuple[BatchItem, ...]:
        return self._reader.batches.items(
            self.owner, self.job_id, status=None, limit=100, cursor=None
        ).records

    def log(self) -> list[str]:
        """The log's lines, as log.txt has them."""
        page = self._reader.batches.log(self.owner, self.job_id, limit=1000, cursor=None)
        return [line.text() for line in page.records]

    def store(self) -> Store:
        """The job's tables, as they are observed."""

        def conversations(owner: str) -> dict[str, str]:
            return conversations_in(self.clients["dynamodb"], owner)

        reader = self._reader
        return Store(reader.batches, self._claims, conversations, quick=False)

    def executions(self) -> list[str]:
        """The names of the job's executions."""
        listed = self.clients["stepfunctions"].list_executions(
            stateMachineArn=self.services.machine_arn
        )
        names = [one["name"] for one in listed["executions"]]
        return sorted(name for name in names if name.startswith(self.job_id))


NewProcess = Callable[[dict[str, list[Answer]]], BatchProcess]


@contextmanager
def batch_processes() -> Iterator[NewProcess]:
    """Make processes side by side on the same tables, each another owner's."""
    with moto_aws():
        clients = new_clients()
        machine = clients["stepfunctions"].create_state_machine(
            name="generate-batch",
            definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/generate-batch",
        )
        numbers = itertools.count(1)

        def new_process(script: dict[str, list[Answer]]) -> BatchProcess:
            services = SharedServices(
                ClaudeByPersona(script), SteppedClock(), machine["stateMachineArn"]
            )
            return BatchProcess(services, clients, f"owner-{next(numbers)}")

        yield new_process
