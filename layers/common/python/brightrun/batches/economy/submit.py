"""Sends items in Message Batches, each once whatever dies on the way.

The API has no idempotency key. So that a submission is sent is stored before it is, and where
nobody heard whether that created a batch, the account's batches are looked through (ADR 81).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from brightrun.batches import log as batch_log
from brightrun.batches.claim_repository import ClaimRepository, Outcome
from brightrun.batches.economy.answers import BatchedAnswers
from brightrun.batches.economy.model import (
    CLAIMED_TOGETHER,
    CLOCK_SKEW,
    HOLD_S,
    LEASE_S,
    MOST_BYTES,
    MOST_REQUESTS,
    UNKNOWN_FOR,
    Submission,
    custom_id,
)
from brightrun.batches.finalize_item import Fault
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
from brightrun.batches.repository import BatchRepository
from brightrun.batches.worker import ItemClaims
from brightrun.batches.write_conversation import ConversationWriter
from brightrun.claude.message_batch_client import BatchedResult, MessageBatch, MessageBatches
from brightrun.core.errors import CapReachedError, ClaimsClosedError, ClaudeCallError
from brightrun.core.timestamps import Clock, epoch_ms, from_iso, iso

_REFUSED_WAIT_S = 60.0


@dataclass(slots=True)
class EconomyJob:
    """One job, and what its worker needs to act on its submissions.

    `token` is that of the invocation: it holds a submission while it acts on it.
    """

    job: BatchJob
    token: str
    batches: BatchRepository
    claims: ClaimRepository
    message_batches: Callable[[], MessageBatches]
    writer: ConversationWriter
    answers: BatchedAnswers
    clock: Clock
    new_token: Callable[[], str]
    has_time: Callable[[], bool]

    async def change(self, seen: Submission | None, becomes: Submission | None) -> None:
        """Replace a submission; raises LeaseLostError, StorageError."""
        await asyncio.to_thread(self.batches.change_submission, self.job, seen, becomes)

    async def hold(self, submission: Submission) -> Submission:
        """Keep other workers from a submission; one that was held before died over it."""
        died = bool(submission.held_by) and submission.held_by != self.token
        held = replace(
            submission,
            held_by=self.token,
            held_until=epoch_ms(self.clock()) + HOLD_S * 1000,
            tries=submission.tries + died,
        )
        await self.change(submission, held)
        return held

    async def release(
        self, submission: Submission, after_s: float = 0, *, failed: bool = False
    ) -> Submission:
        """Let any worker act on a submission, after so many seconds; `failed` counts a try."""
        free_at = epoch_ms(self.clock()) + round(after_s * 1000)
        tries = submission.tries + 1 if failed else 0
        freed = replace(submission, held_by="", held_until=free_at, tries=tries)
        await self.change(submission, freed)
        return freed

    @property
    def is_stopped(self) -> bool:
        """Whether what was sent is not wanted any more, as far as Claude has not answered it.

        Also when it is time for realtime workers to write that.
        """
        ended = self.job.status is JobStatus.CANCELLED or self.job.stop_reason is not None
        return ended or self.job.has_switched(self.clock())

    async def end(self, submission: Submission, item: BatchItem, result: BatchedResult) -> None:
        """End an item with its result, as after a call of its own."""
        answer = result.answer
        if self.is_stopped and isinstance(answer, ClaudeCallError) and answer.reason == "canceled":
            self.answers.outcomes["canceled"] += 1
            await self.requeue([item], "its Message Batch was cancelled")
            return
        self.answers.give(item, answer, from_iso(submission.sent_at or submission.created_at))
        await self.writer.process(item, lambda: None)

    async def waiting_for(self, submission: Submission) -> list[BatchItem]:
        """The items of a submission that have not ended."""
        read = self.batches.open_items
        return await asyncio.to_thread(
            lambda: submission.of(read(self.job.owner_id, self.job.job_id))
        )

    async def requeue(self, items: Sequence[BatchItem], why: str) -> None:
        """Queue items again as they were, without a failure."""

        async def one(item: BatchItem) -> None:
            line = self.writer.finalizer.line(item, batch_log.item_released(item.item_id, why))
            await self.writer.finalizer.complete(item, Outcome(ItemStatus.QUEUED, [line]))

        await asyncio.gather(*map(one, items))

    async def give_up(self, submission: Submission, reason: str, message: str) -> None:
        """Fail what waits for a submission, with the reason, and forget the submission."""
        fault = Fault("api_error", reason, message)
        fail = self.writer.finalizer.fail
        items = await self.waiting_for(submission)
        await asyncio.gather(*(fail(item, fault) for item in items))
        await self.change(submission, None)

    async def write_line(self, message: str) -> None:
        """Append a line to the job's log."""
        line = batch_log.log_line(self.clock(), self.token, message)
        await asyncio.to_thread(self.claims.write_line, self.job.owner_id, self.job.job_id, line)


def _was_refused(error: ClaudeCallError) -> bool:
    """Whether it is certain that the API has created no batch."""
    return error.fatal or error.overloaded or 400 <= (error.status or 0) < 500


@dataclass(slots=True)
class Submitter:
    """Sends the items of one job. Methods return the submission as it is afterwards, or None.

    They raise StorageError, and LeaseLostError where another worker has the submission.
    """

    economy: EconomyJob

    async def submit(self) -> Submission | None:
        """Claim items that can be claimed, up to a batch, and send them; None without any."""
        economy, now = self.economy, self.economy.clock()
        empty = Submission(economy.new_token(), iso(now))
        submission = await self._begin(empty)
        claims = ItemClaims(
            economy.claims,
            economy.batches,
            economy.job,
            token=submission.submission_id,
            lease_seconds=LEASE_S,
            clock=economy.clock,
            at_once=CLAIMED_TOGETHER,
        )
        items: list[BatchItem] = []
        requests: list[bytes] = []
        while economy.has_time() and _has_room(requests):
            claimed = await self._claim(claims)
            if not claimed:
                break
            items += claimed
            try:
                requests += await self._requests(claimed)
            except ClaudeCallError as error:
                return await self._refused(submission, items, error)
        return await self._send(submission, items, requests)

    async def send_again(self, submission: Submission) -> Submission | None:
        """Send what was claimed for a submission and, for certain, not sent."""
        economy = self.economy
        items = await economy.waiting_for(submission)
        if economy.is_stopped:
            await economy.requeue(items, "it was not sent")
            items = []
        try:
            return await self._send(submission, items, await self._requests(items))
        except ClaudeCallError as error:
            return await self._refused(submission, items, error)

    async def look_up(self, submission: Submission) -> Submission | None:
        """Find out whether a submission was sent, where the answer to that was lost.

        The batches that the account has created since, with as many requests, may be it. What they
        were asked shows only in the results of one that has ended: until then it is waited for.
        """
        economy = self.economy
        sent_at = from_iso(submission.sent_at or submission.created_at)
        if economy.clock() - sent_at > UNKNOWN_FOR:
            await economy.give_up(
                submission,
                "submission_unknown",
                "Whether it was sent to Claude cannot be found out. If it was, it is paid for.",
            )
            return None
        names = {custom_id(item) for item in await economy.waiting_for(submission)}
        api, candidates = economy.message_batches(), []
        async for batch in self._candidates(api, submission, sent_at):
            if not batch.ended:
                candidates.append(batch)
            elif await _answers_one_of(api, batch, names):
                return await self._adopt(submission, batch)
        if candidates:
            return await economy.release(submission, submission.poll_wait_s(economy.clock()))
        prepared = replace(submission, sent_at=None, requests=0)
        await economy.change(submission, prepared)
        return await self.send_again(prepared)

    async def _begin(self, submission: Submission) -> Submission:
        economy = self.economy
        held_until = epoch_ms(economy.clock()) + HOLD_S * 1000
        held = replace(submission, held_by=economy.token, held_until=held_until)
        await economy.change(None, held)
        return held

    async def _claim(self, claims: ItemClaims) -> list[BatchItem]:
        try:
            return await asyncio.to_thread(claims.claim, CLAIMED_TOGETHER)
        except (CapReachedError, ClaimsClosedError):
            return []

    async def _requests(self, items: Sequence[BatchItem]) -> list[bytes]:
        """What is asked for the items; one whose earlier answer is the last word ends here."""
        api, writer = self.economy.message_batches(), self.economy.writer
        answers, requests = self.economy.answers, []
        for item in items:
            asked = await answers.to_ask(
                item, writer.plan.prompt(item), partial(writer.validated, item)
            )
            if asked is None:
                await writer.process(item, lambda: None)
            else:
                requests.append(api.request(custom_id(item), asked[0], answers.schema))
        return requests

    async def _send(
        self, submission: Submission, items: Sequence[BatchItem], requests: Sequence[bytes]
    ) -> Submission | None:
        economy = self.economy
        if not requests:
            await economy.change(submission, None)
            return None
        if not economy.has_time():
            return await economy.release(submission)
        now = economy.clock()
        sent = replace(
            submission,
            requests=len(requests),
            sent_at=iso(now),
            held_until=epoch_ms(now) + HOLD_S * 1000,
        )
        await economy.change(submission, sent)
        try:
            batch = await economy.message_batches().create(requests)
        except ClaudeCallError as error:
            if not _was_refused(error):
                return sent  # Held until nothing of this call can arrive any more.
            return await self._refused(sent, items, error)
        return await self._adopt(sent, batch)

    async def _adopt(self, submission: Submission, batch: MessageBatch) -> Submission:
        freed = replace(submission, batch_id=batch.id, held_by="", held_until=0)
        await self.economy.change(submission, freed)
        await self.economy.write_line(batch_log.message_batch_sent(batch.id, batch.requests))
        return freed

    async def _refused(
        self, submission: Submission, items: Sequence[BatchItem], error: ClaudeCallError
    ) -> Submission | None:
        """Wait as long as Claude asks; where no call can succeed, stop the job with the reason."""
        economy = self.economy
        if error.retryable:
            prepared = replace(submission, sent_at=None, requests=0)
            await economy.change(submission, prepared)
            return await economy.release(prepared, error.retry_after_s or _REFUSED_WAIT_S)
        fault = Fault("api_error", error.reason, error.message, fatal=True)
        await economy.writer.finalizer.fail(items[0], fault)
        await economy.requeue(items[1:], "it was not sent")
        await economy.change(submission, None)
        return None

    async def _candidates(
        self, api: MessageBatches, submission: Submission, sent_at: datetime
    ) -> AsyncIterator[MessageBatch]:
        """Batches that may be the submission's: none that another submission of the job has."""
        economy = self.economy
        others = await asyncio.to_thread(
            economy.batches.submissions, economy.job.owner_id, economy.job.job_id
        )
        known = {other.batch_id for other in others}
        async for batch in api.created_since(sent_at - CLOCK_SKEW):
            if batch.requests == submission.requests and batch.id not in known:
                yield batch


def _has_room(requests: Sequence[bytes]) -> bool:
    return len(requests) < MOST_REQUESTS and sum(map(len, requests)) < MOST_BYTES


async def _answers_one_of(api: MessageBatches, batch: MessageBatch, names: set[str]) -> bool:
    """Whether a batch that has ended is that of these requests: its first result tells."""
    async for result in api.results(batch.id):
        return result.custom_id in names
    return False
