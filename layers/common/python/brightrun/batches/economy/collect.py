"""Reads the results of Message Batches: each item ends as it would after a call of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from brightrun.batches import log as batch_log
from brightrun.batches.economy.model import HOLD_S, MOST_TRIES, Submission, custom_id
from brightrun.batches.economy.submit import EconomyJob
from brightrun.batches.model import BatchItem
from brightrun.core.errors import ClaudeCallError

CONCURRENT = 40
"""Items worked on together; as many at the most are in memory beside the batch's open items."""
_RETRY_S = 60.0


@dataclass(slots=True)
class Collector:
    """Collects the results of one job's submissions."""

    economy: EconomyJob

    async def collect(self, submission: Submission, batch_id: str) -> Submission | None:
        """End the items of a Message Batch with their results, as those arrive.

        Returns the submission if results are left to read, because time or the connection ended,
        else None. Safe to repeat: items that have ended are left alone. Raises StorageError, and
        LeaseLostError if another worker reads them.
        """
        economy = self.economy
        economy.answers.outcomes.clear()
        waiting = {custom_id(item): item for item in await economy.waiting_for(submission)}
        try:
            submission, complete = await self._read_all(submission, batch_id, waiting)
        except ClaudeCallError as error:
            return await self._read_in_vain(submission, error)
        told = batch_log.message_batch_read(batch_id, economy.answers.outcomes)
        await economy.write_line(told)
        if not complete:
            return await economy.release(submission)
        await economy.change(submission, None)
        return None

    async def _read_all(
        self, submission: Submission, batch_id: str, waiting: dict[str, BatchItem]
    ) -> tuple[Submission, bool]:
        """End the items; returns whether that is all of them, or time has run out."""
        economy, now = self.economy, asyncio.get_running_loop().time
        tasks, renew_at = set[asyncio.Task[None]](), now() + HOLD_S / 2
        try:
            async for result in economy.message_batches().results(batch_id):
                if not economy.has_time():
                    return submission, False
                if (item := waiting.pop(result.custom_id, None)) is not None:
                    tasks.add(asyncio.create_task(economy.end(submission, item, result)))
                if len(tasks) >= CONCURRENT:
                    tasks = await _some_done(tasks)
                if now() > renew_at:
                    submission, renew_at = await economy.hold(submission), now() + HOLD_S / 2
        finally:
            while tasks:
                tasks = await _some_done(tasks)
        if waiting:
            raise ClaudeCallError(
                "results_incomplete", "The Message Batch has no result for some of its requests."
            )
        return submission, True

    async def _read_in_vain(
        self, submission: Submission, error: ClaudeCallError
    ) -> Submission | None:
        """Try again later; after MOST_TRIES fail what waits, since nothing may be sent twice."""
        if submission.tries >= MOST_TRIES:
            await self.economy.give_up(submission, "results_unavailable", error.message)
            return None
        return await self.economy.release(submission, error.retry_after_s or _RETRY_S, failed=True)


async def _some_done(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """The tasks that are left when at least one has ended; raises what an ended one raised."""
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    failed = next((task for task in done if task.exception() is not None), None)
    if failed is not None:
        if left:
            await asyncio.wait(left)
        failed.result()
    return left
