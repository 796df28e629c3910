"""Judgements of stored conversations: ordering a job of them, and judging one conversation."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache
from brightrun.batches.claim_repository import Outcome
from brightrun.batches.create_batch import JobStarter, NewJob
from brightrun.batches.finalize_item import Fault, ItemFinalizer
from brightrun.batches.model import (
    MAX_TAKEOVERS,
    BatchItem,
    BatchJob,
    ItemStatus,
    JobStatus,
    calls_per_worker,
    job_key,
)
from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.claude.model import Completion, Prompt, require_whole_answer
from brightrun.claude.registry import ClaudeModel
from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.quality.judgement import (
    Paid,
    choose_judge,
    current_rubric,
    is_judged,
    judge_prompt,
    judgement,
    read_verdicts,
)
from brightrun.conversations.repository import ConversationChanges, ConversationReads
from brightrun.core.errors import (
    BrightRunError,
    ClaudeCallError,
    ConversationRefusedError,
    NotFoundError,
    StorageError,
    UnfitConversationsError,
    VersionConflictError,
)
from brightrun.core.ids import item_id
from brightrun.core.timestamps import Clock, iso

_TRIES = 5
"""Writes of a row that somebody else keeps changing, before the item is put down as failed."""
_LOST = Fault("api_error", "workers_lost", "Every worker that took the item failed over it.")


@dataclass(frozen=True, slots=True)
class JudgementWriter:
    """Everything that judging the conversations of one job needs.

    A judgement is advice: nothing but the row's `judgement` changes, whatever it says, and an item
    that fails leaves its conversation as it was.
    """

    job: BatchJob
    ends: ItemFinalizer
    answers: CompletionCache
    conversations: ConversationChanges
    conversation_files: ObjectStore
    scaffolds: PlanScaffoldingResolver
    clock: Clock

    async def write(self, item: BatchItem) -> float | None:
        """Bring a leased item to its end, or put it back to be tried again.

        Gives the seconds for which nobody should call Claude, where Claude said so.
        """
        if item.attempts > MAX_TAKEOVERS:
            await self.ends.fail(item, _LOST)
            return None
        completion: Completion | None = None
        try:
            record = await asyncio.to_thread(self._record, item)
            if is_judged(record, current_rubric()):
                # Its worker died before it ended the item, or another job was faster.
                await self._done(item, await asyncio.to_thread(self._paid_before, item, record))
                return None
            prompt = await asyncio.to_thread(self._prompt, record)
            completion = await self.answers.answer(item, prompt)
            require_whole_answer(completion)
            verdicts = read_verdicts(completion.text, current_rubric())
            advice = judgement(verdicts, current_rubric(), record, self._paid(completion))
            await asyncio.to_thread(self._store, record, advice)
        except ClaudeCallError as error:
            if not self.ends.is_final(item, error):
                return await self.ends.requeue(item, error)
            await self.ends.fail(
                item, Fault("api_error", error.reason, error.message, fatal=error.fatal)
            )
        except StorageError:
            raise  # The lease runs out, and another worker takes the stored answer up.
        except BrightRunError as error:
            await self._refused(item, completion, error)
        else:
            await self._done(item, completion)
        return None

    def _record(self, item: BatchItem) -> ConversationRecord:
        record_id = item.conversation_id or ""
        return self.conversations.conversation(self.job.owner_id, record_id)

    def _prompt(self, record: ConversationRecord) -> Prompt:
        stored = self.conversation_files.get(record.file_path)
        if stored is None:
            raise NotFoundError("conversation file", record.conversation_id)
        document: dict[str, Any] = json.loads(stored.text)
        arc = declared_arc(self.scaffolds.of(record).arc)
        return judge_prompt(current_rubric(), document, arc)

    def _paid(self, completion: Completion) -> Paid:
        return Paid(
            completion=completion,
            cost_micro_usd=self.answers.cost_micro_usd(completion),
            judge=self.job.model,
            job_id=self.job.job_id,
            judged_at=iso(self.clock()),
        )

    def _paid_before(self, item: BatchItem, record: ConversationRecord) -> Completion | None:
        """This item's own answer, whose price its job has not counted yet; None for another's."""
        if record.judgement is None or record.judgement["job_id"] != self.job.job_id:
            return None
        return self.answers.stored(item)

    def _store(self, seen: ConversationRecord, advice: dict[str, Any]) -> None:
        """Put the advice on the row; what others change meanwhile stands, unless it is the text."""
        record = seen
        for _ in range(_TRIES):
            if record.file_path != seen.file_path:
                break
            judged = dataclasses.replace(record, judgement=advice)
            try:
                self.conversations.replace(judged, record.version)
            except VersionConflictError:
                record = self.conversations.conversation(seen.owner_id, seen.conversation_id)
            else:
                return
        raise version_conflict(record)

    async def _done(self, item: BatchItem, completion: Completion | None) -> None:
        outcome = Outcome(
            status=ItemStatus.COMPLETED,
            lines=[
                self.ends.line(
                    item, batch_log.item_judged(item.item_id, item.conversation_id or "")
                )
            ],
            input_tokens=completion.input_tokens if completion else 0,
            output_tokens=completion.output_tokens if completion else 0,
            cost_micro_usd=self.answers.cost_micro_usd(completion) if completion else 0,
            simulated=completion.simulated if completion else False,
        )
        await self.ends.complete(item, outcome)

    async def _refused(
        self, item: BatchItem, completion: Completion | None, error: BrightRunError
    ) -> None:
        reason = error.reason if isinstance(error, ConversationRefusedError) else error.code
        cost = self.answers.cost_micro_usd(completion) if completion else 0
        fault = Fault("validation_error", reason, error.message)
        await self.ends.fail(item, fault, completion=completion, cost_micro_usd=cost)


MOST_AT_ONCE = 100
"""Conversations of one order, as for every request that names conversations."""
_AT_ONCE = 16
_BYTES_PER_TOKEN = 3
_RUBRIC_TOKENS = 900
_ANSWER_TOKENS = 700
"""Estimates for the price: the rubric has some 2,700 characters, five reasons some 2,000."""


@dataclass(frozen=True, slots=True)
class JudgementRequest:
    """What a caller asks for; `model` None lets the rubric choose."""

    conversation_ids: tuple[str, ...]
    model: str | None = None
    name: str = "Judgement"
    concurrent_processing: int = 1

    def fingerprint(self) -> str:
        """A hash that is the same for the same order."""
        return hashlib.sha256(f"judge:{asdict(self)!r}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedJudgements:
    """The job, None where nothing was left to judge; money in USD."""

    job: BatchJob | None
    rubric_version: str
    already_judged: Sequence[str]
    estimated_cost: float


@dataclass(frozen=True, slots=True)
class JudgementService:
    """Takes orders; judged conversations are not paid for again under the same rubric."""

    conversations: ConversationReads
    starter: JobStarter
    clock: Clock

    def order(
        self, owner_id: str, order: JudgementRequest, idempotency_key: str | None
    ) -> AcceptedJudgements:
        """Start a job for those of the conversations that this rubric has not judged.

        Raises UnfitConversationsError that names what is not there, UnusableModelError, and
        IdempotencyKeyReusedError.
        """
        records = self._records(owner_id, order.conversation_ids)
        rubric = current_rubric()
        judged = [one.conversation_id for one in records if is_judged(one, rubric)]
        unjudged = [one for one in records if not is_judged(one, rubric)]
        if not unjudged:
            return AcceptedJudgements(None, rubric.version, judged, 0.0)
        now = self.clock()
        judge = choose_judge(order.model, {one.model for one in unjudged}, now.date())

        def make(job_id: str) -> NewJob:
            job = _job(owner_id, job_id, order, judge, len(unjudged), iso(now))
            items = [_item(job, number, one) for number, one in enumerate(unjudged, start=1)]
            return NewJob(job, items)

        job = self.starter.start(owner_id, order.fingerprint(), idempotency_key, make, now)
        return AcceptedJudgements(job, rubric.version, judged, _estimate(judge, unjudged, now))

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
    owner_id: str, job_id: str, order: JudgementRequest, judge: ClaudeModel, total: int, now: str
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
