"""Judges one conversation: ask another model, check its answer, store the advice, end the item."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from brightrun.domain import batch_log
from brightrun.domain.batch import MAX_TAKEOVERS, BatchItem, BatchJob
from brightrun.domain.claude import Completion, require_whole_answer
from brightrun.domain.conversation_record import ConversationRecord, overtaken
from brightrun.domain.declared_arc import declared_arc
from brightrun.domain.judge_rubric import current_rubric
from brightrun.domain.judgement import Paid, is_judged, judge_prompt, judgement, read_verdicts
from brightrun.domain.moments import iso
from brightrun.domain.prompt_assembly import Prompt
from brightrun.domain.transitions import ItemStatus
from brightrun.errors import (
    BrightRunError,
    ClaudeCallError,
    ConversationRefusedError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.ports import Clock, ObjectStore, Outcome
from brightrun.ports.conversations import ConversationChanges
from brightrun.services.ask_claude import PaidAnswers
from brightrun.services.end_item import ItemEnds
from brightrun.services.find_scaffold import ScaffoldFinder
from brightrun.services.record_failure import Fault

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
    ends: ItemEnds
    answers: PaidAnswers
    conversations: ConversationChanges
    conversation_files: ObjectStore
    scaffolds: ScaffoldFinder
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
                return await self.ends.put_back(item, error)
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
        raise overtaken(record)

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
        await self.ends.conclude(item, outcome)

    async def _refused(
        self, item: BatchItem, completion: Completion | None, error: BrightRunError
    ) -> None:
        reason = error.reason if isinstance(error, ConversationRefusedError) else error.code
        cost = self.answers.cost_micro_usd(completion) if completion else 0
        fault = Fault("validation_error", reason, error.message)
        await self.ends.fail(item, fault, completion=completion, cost_micro_usd=cost)
