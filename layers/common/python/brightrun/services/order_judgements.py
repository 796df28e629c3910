"""Orders judgements: a job whose items are conversations that exist."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime

from brightrun.domain.batch import BatchItem, BatchJob, calls_per_worker, job_key
from brightrun.domain.claude_models import ClaudeModel
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.ids import item_id
from brightrun.domain.judge_rubric import choose_judge, current_rubric
from brightrun.domain.judgement import is_judged
from brightrun.domain.moments import iso
from brightrun.domain.transitions import ItemStatus, JobStatus
from brightrun.errors import NotFoundError, UnfitConversationsError
from brightrun.ports import Clock, ConversationReads
from brightrun.services.create_batch import JobStarter, NewJob

MOST_AT_ONCE = 100
"""Conversations of one order, as for every request that names conversations."""
_AT_ONCE = 16
_BYTES_PER_TOKEN = 3
_RUBRIC_TOKENS = 900
_ANSWER_TOKENS = 700
"""Estimates for the price: the rubric has some 2,700 characters, five reasons some 2,000."""


@dataclass(frozen=True, slots=True)
class JudgementOrder:
    """What a caller asks for; `model` None lets the rubric choose."""

    conversation_ids: tuple[str, ...]
    model: str | None = None
    name: str = "Judgement"
    concurrent_processing: int = 1

    def fingerprint(self) -> str:
        """A hash that is the same for the same order."""
        return hashlib.sha256(f"judge:{asdict(self)!r}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class OrderedJudgements:
    """The job, None where nothing was left to judge; money in USD."""

    job: BatchJob | None
    rubric_version: str
    already_judged: Sequence[str]
    estimated_cost: float


@dataclass(frozen=True, slots=True)
class JudgementDesk:
    """Takes orders; judged conversations are not paid for again under the same rubric."""

    conversations: ConversationReads
    starter: JobStarter
    clock: Clock

    def order(
        self, owner_id: str, order: JudgementOrder, idempotency_key: str | None
    ) -> OrderedJudgements:
        """Start a job for those of the conversations that this rubric has not judged.

        Raises UnfitConversationsError that names what is not there, UnusableModelError, and
        IdempotencyKeyReusedError.
        """
        records = self._records(owner_id, order.conversation_ids)
        rubric = current_rubric()
        judged = [one.conversation_id for one in records if is_judged(one, rubric)]
        unjudged = [one for one in records if not is_judged(one, rubric)]
        if not unjudged:
            return OrderedJudgements(None, rubric.version, judged, 0.0)
        now = self.clock()
        judge = choose_judge(order.model, {one.model for one in unjudged}, now.date())

        def make(job_id: str) -> NewJob:
            job = _job(owner_id, job_id, order, judge, len(unjudged), iso(now))
            items = [_item(job, number, one) for number, one in enumerate(unjudged, start=1)]
            return NewJob(job, items)

        job = self.starter.start(owner_id, order.fingerprint(), idempotency_key, make, now)
        return OrderedJudgements(job, rubric.version, judged, _estimate(judge, unjudged, now))

    def _records(self, owner_id: str, ids: Sequence[str]) -> list[ConversationRecord]:
        def read(one: str) -> ConversationRecord | None:
            try:
                return self.conversations.conversation(owner_id, one)
            except NotFoundError:
                return None

        wanted = list(dict.fromkeys(ids))
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(read, wanted))
        missing = [one for one, record in zip(wanted, found, strict=True) if record is None]
        if missing:
            raise UnfitConversationsError(
                f"{len(missing)} of the {len(wanted)} conversations are not there; take them out.",
                details={"unknown": missing},
            )
        return [record for record in found if record is not None]


def _job(
    owner_id: str, job_id: str, order: JudgementOrder, judge: ClaudeModel, total: int, now: str
) -> BatchJob:
    workers = min(order.concurrent_processing, total)
    return BatchJob(
        owner_id=owner_id,
        job_id=job_id,
        name=order.name,
        status=JobStatus.QUEUED,
        total_items=total,
        concurrent_processing=workers,
        calls_per_worker=calls_per_worker(total, workers),
        error_handling="continue",
        priority="normal",
        model=judge.id,
        plan_key="",
        created_at=now,
        updated_at=now,
        kind="judge",
    )


def _item(job: BatchJob, position: int, record: ConversationRecord) -> BatchItem:
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
        template_id=f"judge-rubric-{current_rubric().version}",
        tier=record.tier,
        updated_at=job.created_at,
        conversation_id=record.conversation_id,
    )


def _estimate(judge: ClaudeModel, records: Sequence[ConversationRecord], now: datetime) -> float:
    price = judge.price_on(now.date())
    read = sum(one.file_size // _BYTES_PER_TOKEN + _RUBRIC_TOKENS for one in records)
    written = len(records) * _ANSWER_TOKENS
    return round((read * price.input + written * price.output) / 1e6, 2)
