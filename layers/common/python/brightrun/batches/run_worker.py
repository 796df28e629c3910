"""Runs one invocation of a batch's worker: reads the job, and composes what its items need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from brightrun.aws.objects import ObjectStore, discard
from brightrun.aws.request_keys import RequestKeys
from brightrun.aws.running_workers import RunningWorker, RunningWorkers
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache, Completions, judgement_spec
from brightrun.batches.call_limit import CALL_MARGIN_S, CallLimit
from brightrun.batches.claim_repository import ClaimRepository, Ended
from brightrun.batches.economy.answers import BatchedAnswers
from brightrun.batches.economy.submit import EconomyJob
from brightrun.batches.economy.worker import EconomyWorker
from brightrun.batches.finalize_item import FailureRecorder, ItemFinalizer
from brightrun.batches.group_commit import GroupCommit
from brightrun.batches.judge_conversation import JudgementWriter
from brightrun.batches.model import MAX_CALLS_PER_WORKER, BatchJob, JobAction, JobStatus
from brightrun.batches.plan import BatchPlan, PlanScaffoldingResolver
from brightrun.batches.repository import BatchRepository
from brightrun.batches.shared_calls import SharedCalls
from brightrun.batches.worker import ItemClaims, ItemProcessor, LeaseRenewer, Worker
from brightrun.batches.workflow import WorkerInvocation, WorkerResult
from brightrun.batches.write_conversation import ConversationWriter
from brightrun.claude.client import Claude, UnavailableClaude
from brightrun.conversations.generation_log.repository import GenerationLog
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.conversations.repository import ConversationRepository, keys_in_use
from brightrun.core.errors import (
    ActionNotAllowedError,
    BrightRunError,
    ClaudeNotSetUpError,
    StorageError,
    UnusableModelError,
)
from brightrun.core.limits import CALL_TIMEOUT_S
from brightrun.core.timestamps import Clock

_STORAGE_THREADS = 16
"""Threads for the blocking AWS calls of the items in progress; each call takes milliseconds."""


@dataclass(frozen=True, slots=True)
class WorkerRunner:
    """Runs one invocation of a worker, for a job of any kind."""

    batches: BatchRepository
    claims: ClaimRepository
    records: GenerationLog
    conversation_files: ObjectStore
    plans: ObjectStore
    failure_reports: ObjectStore
    open_claude: Callable[[str], Claude]
    clock: Clock
    lease_seconds: int
    retry_base_seconds: float
    new_token: Callable[[], str]
    enrich: Callable[[ConversationRecord, str], ConversationRecord]
    conversations: ConversationRepository
    answers: RequestKeys
    running: RunningWorkers
    most_calls: int = 0
    """The most calls that all workers of a model may have in flight; 0: as many as it carries."""

    def run(self, request: WorkerInvocation, seconds_left: Callable[[], float]) -> WorkerResult:
        """Process items of the job; `seconds_left` returns the time until the Lambda is stopped.

        Raises NotFoundError, StorageError.
        """
        job = self._started_job(request)
        if not job.has_work:
            return WorkerResult(**request.model_dump(), status="closed")
        job = self._in_lane_of(request, job)
        if job.is_economy and request.worker > 0:
            # The first worker alone follows the Message Batches.
            return WorkerResult(**request.model_dump(), status="drained")
        return asyncio.run(self._run(job, request, seconds_left))

    async def _run(
        self, job: BatchJob, request: WorkerInvocation, seconds_left: Callable[[], float]
    ) -> WorkerResult:
        with ThreadPoolExecutor(_STORAGE_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            claude, job = self._open_claude(job)
            try:
                if job.is_economy:
                    return await self._economy_worker(job, claude, seconds_left).run(request)
                calls = self._call_limit(job, request, seconds_left)
                worker = self._worker(job, claude, calls)
                async with self._shared(job, calls).joined():
                    return await worker.run(request)
            finally:
                await claude.close()

    def _in_lane_of(self, request: WorkerInvocation, job: BatchJob) -> BatchJob:
        """The job in the lane that a worker writes in now.

        When the job has changed lanes, the first worker settles its Message Batches before it
        writes: their items are leased to them, so that the others cannot write those.
        """
        if not job.has_switched(self.clock()):
            return job
        if request.worker == 0 and self.batches.submissions(job.owner_id, job.job_id):
            return job
        return replace(job, lane="realtime")

    def _open_claude(self, job: BatchJob) -> tuple[Claude, BatchJob]:
        """Open Claude; if that fails, the first call stops the job, so one at a time is enough."""
        try:
            return self.open_claude(job.model), job
        except (ClaudeNotSetUpError, UnusableModelError) as error:
            return UnavailableClaude(error), replace(job, calls_per_worker=1, calls_in_flight=None)

    def _call_limit(
        self, job: BatchJob, request: WorkerInvocation, seconds_left: Callable[[], float]
    ) -> CallLimit:
        """The limit on calls in flight, which an earlier invocation may have lowered."""
        return CallLimit(
            job.calls_of(request.worker),
            start=request.calls_in_flight,
            seconds_left=seconds_left,
            is_open=lambda: self.batches.job(job.owner_id, job.job_id).accepts_claims,
        )

    def _shared(self, job: BatchJob, calls: CallLimit) -> SharedCalls:
        me = RunningWorker(job.model, job.owner_id, self.new_token(), calls.most, calls.exact)
        return SharedCalls(self.running, calls, me, self.clock, self.most_calls)

    def _worker(self, job: BatchJob, claude: Claude, calls: CallLimit) -> Worker:
        items = ItemClaims(
            self.claims,
            self.batches,
            job,
            token=self.new_token(),
            lease_seconds=self.lease_seconds,
            clock=self.clock,
        )
        renewer = LeaseRenewer(self.claims, items.lease, self.lease_seconds)
        return Worker(items, self._processor(job, claude, calls), renewer, calls)

    def _economy_worker(
        self, job: BatchJob, claude: Claude, seconds_left: Callable[[], float]
    ) -> EconomyWorker:
        answers = BatchedAnswers(
            self.conversation_files,
            self.records,
            job,
            self.clock,
            is_open=lambda: self.batches.job(job.owner_id, job.job_id).accepts_claims,
        )
        economy = EconomyJob(
            job=job,
            token=self.new_token(),
            batches=self.batches,
            claims=self.claims,
            message_batches=lambda: claude.message_batches,
            writer=self._writer(job, self._finalizer(job), answers),
            answers=answers,
            clock=self.clock,
            new_token=self.new_token,
            has_time=lambda: seconds_left() >= CALL_TIMEOUT_S + CALL_MARGIN_S,
        )
        return EconomyWorker(economy)

    def _finalizer(self, job: BatchJob) -> ItemFinalizer:
        commits: GroupCommit[Ended, dict[int, BrightRunError]] = GroupCommit(
            lambda ended: self.claims.complete(ended, self.clock()), MAX_CALLS_PER_WORKER
        )
        return ItemFinalizer(job, commits, self.clock, self.retry_base_seconds)

    def _processor(self, job: BatchJob, claude: Claude, calls: CallLimit) -> ItemProcessor:
        finalizer = self._finalizer(job)
        stores = self.conversation_files, self.records, self.answers
        cache_arguments = (claude, calls, *stores, job, self.clock)
        if job.kind == "judge":
            return JudgementWriter(
                job=job,
                finalizer=finalizer,
                completions=CompletionCache(
                    *cache_arguments, judgement_spec(current_rubric().answer_schema())
                ),
                conversations=self.conversations,
                conversation_files=self.conversation_files,
                scaffolds=PlanScaffoldingResolver(self.plans, self.conversation_files),
                clock=self.clock,
            )
        return self._writer(job, finalizer, CompletionCache(*cache_arguments))

    def _writer(
        self, job: BatchJob, finalizer: ItemFinalizer, completions: Completions
    ) -> ConversationWriter:
        return ConversationWriter(
            job=job,
            plan=self._plan(job),
            finalizer=finalizer,
            completions=completions,
            conversation_files=self.conversation_files,
            failures=FailureRecorder(self.failure_reports, job, self.clock),
            clock=self.clock,
            enrich=self.enrich,
            discard=self._discard,
        )

    def _discard(self, lost: ConversationRecord) -> None:
        """Remove the files of an attempt that lost its item; its paid answer may be in use."""
        in_use = partial(keys_in_use, self.conversations, lost.owner_id, lost.conversation_id)
        made = lost.object_keys() - {lost.raw_response_path}
        discard(self.conversation_files, in_use, *made)

    def _started_job(self, request: WorkerInvocation) -> BatchJob:
        """Read the job; the first worker changes it from queued to processing."""
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
            raise StorageError("GetObject", "the job's plan is missing")
        return BatchPlan.model_validate_json(stored.text)
