"""Sets one worker up for a turn: its job, its plan, its Claude client, its lease token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from brightrun.domain import batch_log
from brightrun.domain.batch import BatchJob
from brightrun.domain.batch_plan import BatchPlan
from brightrun.domain.claude import Completion
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.judge_rubric import current_rubric
from brightrun.domain.prompt_assembly import Prompt
from brightrun.domain.transitions import JobAction, JobStatus
from brightrun.domain.workflow import TurnResult, WorkerTurn
from brightrun.errors import (
    ActionNotAllowedError,
    BrightRunError,
    ClaudeCallError,
    ClaudeNotSetUpError,
    StorageError,
    UnusableModelError,
)
from brightrun.ports import (
    BatchLists,
    BatchRepository,
    ClaimRepository,
    Claude,
    Clock,
    GenerationRecords,
    ObjectStore,
)
from brightrun.ports.conversations import ConversationChanges
from brightrun.services.ask_claude import PaidAnswers, judgement_question
from brightrun.services.claim_items import ItemClaims
from brightrun.services.end_item import ItemEnds
from brightrun.services.find_scaffold import ScaffoldFinder
from brightrun.services.judge_conversation import JudgementWriter
from brightrun.services.keep_leases import LeaseKeeper
from brightrun.services.process_next import ItemWriter, Worker
from brightrun.services.record_failure import FailureRecorder
from brightrun.services.write_conversation import ConversationWriter

_STORAGE_THREADS = 16
"""Threads for the blocking AWS calls of the conversations in work; each call takes milliseconds."""


@dataclass(frozen=True, slots=True)
class WorkerRunner:
    """Everything a worker of any job needs."""

    batches: BatchRepository
    claims: ClaimRepository
    lists: BatchLists
    records: GenerationRecords
    conversation_files: ObjectStore
    plans: ObjectStore
    failure_reports: ObjectStore
    open_claude: Callable[[str], Claude]
    clock: Clock
    lease_seconds: int
    retry_base_seconds: float
    new_token: Callable[[], str]
    after_stored: Callable[[ConversationRecord], object]
    conversations: ConversationChanges

    def run(self, request: WorkerTurn, seconds_left: Callable[[], float]) -> TurnResult:
        """Take one turn; `seconds_left` is the time until the function is stopped."""
        job = self._begun(request)
        if not job.takes_claims:
            return TurnResult(**request.model_dump(), status="closed")
        return asyncio.run(self._turn(job, request, seconds_left))

    async def _turn(
        self, job: BatchJob, request: WorkerTurn, seconds_left: Callable[[], float]
    ) -> TurnResult:
        with ThreadPoolExecutor(_STORAGE_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            claude, job = self._opened(job)
            try:
                worker = self._worker(job, claude, seconds_left)
                return await worker.take_turn(request)
            finally:
                await claude.close()

    def _opened(self, job: BatchJob) -> tuple[Claude, BatchJob]:
        """Open Claude; where that cannot succeed, one call is enough to stop the job over it."""
        try:
            return self.open_claude(job.model), job
        except (ClaudeNotSetUpError, UnusableModelError) as error:
            return UnavailableClaude(error), replace(job, calls_per_worker=1)

    def _worker(self, job: BatchJob, claude: Claude, seconds_left: Callable[[], float]) -> Worker:
        items = ItemClaims(
            self.claims,
            self.lists,
            job,
            token=self.new_token(),
            lease_seconds=self.lease_seconds,
            clock=self.clock,
        )
        keeper = LeaseKeeper(self.claims, items.lease, self.lease_seconds)
        return Worker(items, self._writer(job, claude), keeper, seconds_left)

    def _writer(self, job: BatchJob, claude: Claude) -> ItemWriter:
        ends = ItemEnds(job, self.claims, self.clock, self.retry_base_seconds)
        paid_from = (claude, self.conversation_files, self.records, job, self.clock)
        if job.kind == "judge":
            return JudgementWriter(
                job=job,
                ends=ends,
                answers=PaidAnswers(
                    *paid_from, judgement_question(current_rubric().answer_schema())
                ),
                conversations=self.conversations,
                conversation_files=self.conversation_files,
                scaffolds=ScaffoldFinder(self.plans),
                clock=self.clock,
            )
        return ConversationWriter(
            job=job,
            plan=self._plan(job),
            ends=ends,
            answers=PaidAnswers(*paid_from),
            conversation_files=self.conversation_files,
            failures=FailureRecorder(self.failure_reports, job, self.clock),
            clock=self.clock,
            after_stored=self.after_stored,
        )

    def _begun(self, request: WorkerTurn) -> BatchJob:
        """Read the job; the first worker to come moves it from queued to processing."""
        job = self.batches.job(request.owner_id, request.job_id)
        if job.status is not JobStatus.QUEUED:
            return job
        now = self.clock()
        line = batch_log.log_line(now, "worker", f"Batch job started - {job.total_items} items")
        try:
            return self.batches.apply(job.owner_id, job.job_id, JobAction.BEGIN, now, line)
        except ActionNotAllowedError:
            return self.batches.job(request.owner_id, request.job_id)

    def _plan(self, job: BatchJob) -> BatchPlan:
        stored = self.plans.get(job.plan_key)
        if stored is None:
            raise StorageError("GetObject", "the job's plan is not there")
        return BatchPlan.model_validate_json(stored.text)


class UnavailableClaude:
    """ports.Claude of a deployment without a key or with a retired model: every call is fatal.

    An answer that was paid for earlier needs no call, so it still becomes its conversation.
    """

    def __init__(self, reason: BrightRunError) -> None:
        self._reason = reason

    async def write(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:  # noqa: ARG002
        """Raise ClaudeCallError with the reason."""
        raise ClaudeCallError(self._reason.code, self._reason.message, fatal=True)

    async def close(self) -> None:
        """Nothing was opened."""
