"""Ends a worker's hold on an item: with a result, with a failure, or to be tried again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from brightrun.domain import batch_log
from brightrun.domain.batch import MAX_ATTEMPTS, BatchItem, BatchJob
from brightrun.domain.claude import Completion
from brightrun.domain.generation_records import FailedGeneration
from brightrun.domain.moments import epoch_ms
from brightrun.domain.retry_delay import retry_delay_s
from brightrun.domain.transitions import ItemStatus
from brightrun.errors import ClaudeCallError, LeaseLostError
from brightrun.observability import logger
from brightrun.ports import ClaimRepository, Clock, Outcome
from brightrun.services.record_failure import Fault


@dataclass(frozen=True, slots=True)
class ItemEnds:
    """How the items of one job end, whatever they ask of Claude."""

    job: BatchJob
    claims: ClaimRepository
    clock: Clock
    retry_base_seconds: float

    def is_final(self, item: BatchItem, error: ClaudeCallError) -> bool:
        """Whether a failed call ends the item."""
        return not error.retryable or item.attempts >= MAX_ATTEMPTS

    async def put_back(self, item: BatchItem, error: ClaudeCallError) -> float | None:
        """Queue an item again; gives the seconds for which nobody should call Claude, if any."""
        delay = retry_delay_s(item.attempts, self.retry_base_seconds, error.retry_after_s)
        line = batch_log.item_put_back(
            item.item_id, error.message, item.attempts, MAX_ATTEMPTS, delay
        )
        outcome = Outcome(
            status=ItemStatus.QUEUED,
            lines=[self.line(item, line)],
            retry_at=epoch_ms(self.clock()) + round(delay * 1000),
            error_code=error.reason,
            error_message=error.message,
        )
        await self.conclude(item, outcome)
        return delay if error.overloaded else None

    async def fail(
        self,
        item: BatchItem,
        fault: Fault,
        *,
        completion: Completion | None = None,
        cost_micro_usd: int = 0,
        failure: FailedGeneration | None = None,
    ) -> None:
        """End an item without a result, and stop the job where the fault or its rule says so."""
        stop_reason = None
        if fault.fatal:
            stop_reason = f"No call to Claude can succeed: {fault.message}"
        elif self.job.error_handling == "stop":
            stop_reason = f"Item {item.position} failed: {fault.message}"
        outcome = Outcome(
            status=ItemStatus.FAILED,
            lines=[self.line(item, batch_log.item_failed(item.item_id, fault.message))],
            input_tokens=completion.input_tokens if completion else 0,
            output_tokens=completion.output_tokens if completion else 0,
            cost_micro_usd=cost_micro_usd,
            simulated=completion.simulated if completion else False,
            failure=failure,
            stop_reason=stop_reason,
            error_code=fault.reason,
            error_message=fault.message,
        )
        await self.conclude(item, outcome)

    async def conclude(self, item: BatchItem, outcome: Outcome) -> bool:
        """End the hold on an item; False when it is another worker's by now."""
        try:
            await asyncio.to_thread(self.claims.conclude, item, outcome, self.clock())
        except LeaseLostError:
            logger().warning("lease_lost", item_id=item.item_id, status=outcome.status.value)
            return False
        return True

    def line(self, item: BatchItem, message: str) -> batch_log.LogLine:
        """Write a line of the job's log in the name of the item's holder."""
        return batch_log.log_line(self.clock(), item.lease_token or item.item_id, message)
