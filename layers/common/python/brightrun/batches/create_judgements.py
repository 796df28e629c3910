"""Creates a batch job that judges stored conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from brightrun.batches.cap import bounded, cost_of_tokens_usd
from brightrun.batches.concurrency import calls_per_worker
from brightrun.batches.create_batch import JobStarter, NewJob, NothingToStartError
from brightrun.batches.model import (
    BatchItem,
    BatchJob,
    ItemStatus,
    JobStatus,
    job_key,
)
from brightrun.batches.reserve_judgements import JudgementReservations
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import NotFoundError, UnfitConversationsError
from brightrun.core.ids import item_id
from brightrun.core.timestamps import Clock, iso

MAX_CONVERSATIONS = 100
"""Conversations in one request."""
_PARALLEL_READS = 16
_BYTES_PER_TOKEN = 3
_RUBRIC_TOKENS = 900
_ANSWER_TOKENS = 700
"""For the estimated cost: the rubric has about 2,700 characters, five reasons about 2,000."""
_ESCAPED = 2
"""How much longer a quoted conversation may be than its file."""


@dataclass(frozen=True, slots=True)
class JudgementRequest:
    """What a caller requests; without a `model` the rubric chooses one."""

    conversation_ids: tuple[str, ...]
    model: str | None = None
    name: str = "Judgement"
    concurrent_processing: int = 1

    def fingerprint(self) -> str:
        """A hash that is equal for equal requests."""
        return hashlib.sha256(f"judge:{asdict(self)!r}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CreatedJudgements:
    """The job, or None if there was nothing to judge; `estimated_cost` in USD."""

    job: BatchJob | None
    rubric_version: str
    already_judged: Sequence[str]
    estimated_cost: float


@dataclass(frozen=True, slots=True)
class JudgementCreator:
    """Creates judgement jobs; a conversation is judged once by each version of the rubric."""

    conversations: ConversationRepository
    starter: JobStarter
    clock: Clock

    def create(
        self, owner_id: str, request: JudgementRequest, idempotency_key: str | None
    ) -> CreatedJudgements:
        """Start a job for the conversations that the current rubric has not judged.

        A repetition with the same key returns the first job. Raises UnfitConversationsError naming
        the conversations that do not exist, UnusableModelError, BudgetExceededError,
        BeingJudgedError, IdempotencyKeyReusedError, RequestInProgressError, StorageError.
        """
        # The function starts more often to generate, which needs no rubric.
        from brightrun.conversations.quality.judgement import current_rubric, judged_by

        version, now = current_rubric().version, self.clock()
        records = self._records(owner_id, request.conversation_ids)

        def make(job_id: str) -> NewJob:
            return self._new_job(owner_id, job_id, request, records, now)

        try:
            job = self.starter.start(owner_id, request.fingerprint(), idempotency_key, make, now)
        except NothingToStartError:
            return CreatedJudgements(None, version, list(records), 0.0)
        before = [
            key
            for key, one in records.items()
            if one is not None
            and (by := judged_by(one, current_rubric())) is not None
            and by != job.job_id
        ]
        others = [one for key, one in records.items() if one is not None and key not in before]
        cost = _estimate(job.model, others, now)
        return CreatedJudgements(job, version, before, cost)

    def _new_job(
        self,
        owner_id: str,
        job_id: str,
        request: JudgementRequest,
        records: Mapping[str, ConversationRecord | None],
        now: datetime,
    ) -> NewJob:
        from brightrun.conversations.quality.judgement import (
            choose_judge,
            current_rubric,
            judged_by,
        )

        missing = [key for key, one in records.items() if one is None]
        if missing:
            raise UnfitConversationsError(
                f"{len(missing)} of the {len(records)} conversations do not exist; remove them.",
                details={"unknown": missing},
            )
        rubric = current_rubric()
        unjudged = [one for one in records.values() if one and judged_by(one, rubric) is None]
        if not unjudged:
            raise NothingToStartError
        judge = choose_judge(request.model, {one.model for one in unjudged}, now.date()).id
        job = _job(owner_id, job_id, request, judge, len(unjudged), iso(now))
        job = replace(job, shared_characters=len(rubric.system_prompt()))
        job = bounded(job, _longest_prompt(unjudged), now.date())
        job = self.starter.within_budgets(job, now, _estimate(judge, unjudged, now))
        reservations = JudgementReservations(self.starter.batches, self.starter.keys)
        reservations.for_new(owner_id, job_id, [one.conversation_id for one in unjudged], now)
        items = [_item(job, n, one, rubric.version) for n, one in enumerate(unjudged, start=1)]
        return NewJob(job, items)

    def _records(
        self, owner_id: str, ids: Sequence[str]
    ) -> Mapping[str, ConversationRecord | None]:
        """Read the conversations; None for one that does not exist."""

        def read(conversation_id: str) -> ConversationRecord | None:
            try:
                return self.conversations.conversation(owner_id, conversation_id)
            except NotFoundError:
                return None

        unique_ids = list(dict.fromkeys(ids))
        with ThreadPoolExecutor(_PARALLEL_READS) as threads:
            return dict(zip(unique_ids, threads.map(read, unique_ids), strict=True))


def _job(
    owner_id: str, job_id: str, request: JudgementRequest, judge: str, total: int, now: str
) -> BatchJob:
    workers = min(request.concurrent_processing, total)
    return BatchJob(
        owner_id=owner_id,
        job_id=job_id,
        name=request.name,
        status=JobStatus.QUEUED,
        total_items=total,
        concurrent_processing=workers,
        calls_per_worker=calls_per_worker(total, workers),
        error_handling="continue",
        priority="normal",
        model=judge,
        plan_key="",
        created_at=now,
        updated_at=now,
        kind="judge",
    )


def _item(
    job: BatchJob, position: int, record: ConversationRecord, rubric_version: str
) -> BatchItem:
    return BatchItem(
        job_key=job_key(job.owner_id, job.job_id),
        position=position,
        item_id=item_id(job.job_id, position),
        status=ItemStatus.QUEUED,
        persona_id=record.persona_id,
        persona_key=record.persona_key,
        emotional_arc_id=record.emotional_arc_id,
        emotional_arc_key=record.emotional_arc_key,
        training_topic_id=record.training_topic_id,
        training_topic_key=record.training_topic_key,
        template_id=f"judge-rubric-{rubric_version}",
        tier=record.tier,
        updated_at=job.created_at,
        conversation_id=record.conversation_id,
    )


def _longest_prompt(records: Sequence[ConversationRecord]) -> int:
    """Bytes of the longest of the prompts: the file holds more than is quoted, but may be escaped.

    One that is longer all the same is refused by its item instead of exceeding what is reserved.
    """
    longest = max(one.file_size for one in records)
    return _ESCAPED * longest + _RUBRIC_TOKENS * _BYTES_PER_TOKEN


def _estimate(judge: str, records: Sequence[ConversationRecord], now: datetime) -> float:
    input_tokens = sum(one.file_size // _BYTES_PER_TOKEN + _RUBRIC_TOKENS for one in records)
    output_tokens = len(records) * _ANSWER_TOKENS
    return cost_of_tokens_usd(judge, input_tokens, output_tokens, now.date())
