"""Everything that batches need, in memory, for the tests of their services."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from brightrun.aws.request_keys import ANSWERS_KEPT_FOR
from brightrun.batches.control_batch import BatchControls
from brightrun.batches.finish_batch import BatchFinisher
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus
from brightrun.batches.planner import PlannedBatch
from brightrun.batches.run_worker import WorkerRunner
from brightrun.batches.workflow import Round, RoundResult, WorkerInvocation, WorkerResult
from brightrun.claude.model import Completion
from brightrun.conversations.model import ConversationRecord
from tests import builders as build
from tests.builders import OWNER, SteppedClock
from tests.fakes.batches import InMemoryBatches
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import (
    InMemoryKeys,
    InMemoryObjects,
    InMemoryRecords,
    RecordedWorkflow,
    ScriptedClaude,
)
from tests.fakes.running_workers import InMemoryRunningWorkers

PLENTY_S = 890.0


@dataclass
class World:
    claude: ScriptedClaude = field(default_factory=ScriptedClaude)
    clock: SteppedClock = field(default_factory=SteppedClock)
    batches: InMemoryBatches = field(default_factory=InMemoryBatches)
    records: InMemoryRecords = field(default_factory=InMemoryRecords)
    files: InMemoryObjects = field(default_factory=InMemoryObjects)
    reports: InMemoryObjects = field(default_factory=InMemoryObjects)
    logs: InMemoryObjects = field(default_factory=InMemoryObjects)
    workflow: RecordedWorkflow = field(default_factory=RecordedWorkflow)
    tokens: itertools.count[int] = field(default_factory=itertools.count)
    enriched: list[ConversationRecord] = field(default_factory=list)
    swept: list[BatchJob] = field(default_factory=list)
    conversations: InMemoryConversations = field(default_factory=InMemoryConversations)
    running: InMemoryRunningWorkers = field(default_factory=InMemoryRunningWorkers)
    answers: InMemoryKeys = field(default_factory=lambda: InMemoryKeys(ANSWERS_KEPT_FOR))

    @classmethod
    def scripted(cls, script: Iterable[Completion | Exception] = ()) -> World:
        return cls(claude=ScriptedClaude(script))

    def job(self, items: int = 4, **changes: Any) -> BatchJob:
        return self.planned(build.a_plan(items), **changes)

    def guided_job(self, items: int, guide: str, **changes: Any) -> BatchJob:
        """A job whose prompts all begin with a guide."""
        planned = build.a_plan(items, guide=guide)
        return self.planned(planned, shared_characters=planned.plan.most_shared, **changes)

    def planned(self, planned: PlannedBatch, **changes: Any) -> BatchJob:
        job = build.a_job(planned, **changes)
        self.logs.put(job.plan_key, planned.plan.model_dump_json(), content_type="")
        self.batches.create(job, planned.items)
        return job

    def run_worker(
        self,
        job: BatchJob,
        *,
        worker: int = 0,
        loop: int = 0,
        seconds_left: Callable[[], float] = lambda: PLENTY_S,
    ) -> WorkerResult:
        request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=worker, loop=loop)
        return self.runner().run(request, seconds_left)

    def runner(self) -> WorkerRunner:
        return WorkerRunner(
            batches=self.batches,
            claims=self.batches,
            records=self.records,
            conversation_files=self.files,
            plans=self.logs,
            failure_reports=self.reports,
            open_claude=lambda _: self.claude,
            clock=self.clock,
            lease_seconds=60,
            retry_base_seconds=8,
            new_token=lambda: f"worker-{next(self.tokens)}",
            enrich=self._enrich,
            conversations=self.conversations,
            answers=self.answers,
            running=self.running,
        )

    def _enrich(self, record: ConversationRecord, text: str) -> ConversationRecord:
        assert json.loads(text)["turns"]
        path = record.file_path.replace("conversation.json", "enriched.json")
        size = self.files.put(path, text, content_type="application/json")
        self.enriched.append(
            dataclasses.replace(
                record,
                enrichment_status="completed",
                enriched_file_path=path,
                enriched_file_size=size,
            )
        )
        return self.enriched[-1]

    def finisher(self) -> BatchFinisher:
        return BatchFinisher(
            batches=self.batches,
            claims=self.batches,
            logs=self.logs,
            workflow=self.workflow,
            clock=self.clock,
            sweep=self.swept.append,
        )

    def controls(self) -> BatchControls:
        return BatchControls(
            batches=self.batches,
            claims=self.batches,
            workflow=self.workflow,
            keys=InMemoryKeys(),
            clock=self.clock,
            limits=self.batches.budgets.limits,
        )

    def finish(self, job: BatchJob, *, round_number: int = 0) -> RoundResult:
        now = self.now(job)
        return self.finisher().finish(
            Round(
                owner_id=OWNER,
                job_id=job.job_id,
                run=now.run,
                workers=list(range(now.concurrent_processing)),
                round=round_number,
            )
        )

    def now(self, job: BatchJob) -> BatchJob:
        return self.batches.job(OWNER, job.job_id)

    def items(self, job: BatchJob) -> list[BatchItem]:
        page = self.batches.items(OWNER, job.job_id, status=None, limit=10_000, cursor=None)
        return list(page.records)

    def statuses(self, job: BatchJob) -> list[ItemStatus]:
        return [item.status for item in self.items(job)]

    def log(self, job: BatchJob) -> list[str]:
        page = self.batches.log(OWNER, job.job_id, limit=10_000, cursor=None)
        return [line.message for line in page.records]
