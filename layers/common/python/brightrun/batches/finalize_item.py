"""Ends the work on an item: completed, failed with a report, or requeued."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, cast

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.claim_repository import Ended, Outcome
from brightrun.batches.group_commit import GroupCommit
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus
from brightrun.claude.model import MAX_OUTPUT_TOKENS, Completion, Prompt, Usage
from brightrun.conversations.generation_log.model import FailedGeneration, FailureType
from brightrun.core import object_keys
from brightrun.core.errors import (
    BrightRunError,
    ClaudeCallError,
    ConversationRefusedError,
    LeaseLostError,
)
from brightrun.core.ids import conversation_id, time_ordered_id
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, epoch_ms, iso

MAX_BACKOFF_S = 300.0
"""Limit on the computed delay, as in v1; a longer Retry-After is respected, up to its own limit."""
_GROWTH = 4
_JITTER = 0.1


def retry_delay_s(attempt: int, base_s: float, retry_after_s: float | None) -> float:
    """Seconds before the next attempt: Retry-After, else base x 4^(attempt - 1).

    Up to 10 % of jitter is added, so that many workers do not retry at the same time.
    """
    backoff = min(MAX_BACKOFF_S, base_s * _GROWTH ** (attempt - 1))
    delay = backoff if retry_after_s is None else max(0.0, retry_after_s)
    return delay * (1 + random.uniform(0, _JITTER))  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item failed; `fatal` means that every other item of the job would fail, too."""

    failure_type: FailureType
    reason: str
    message: str
    pattern: str | None = None
    fatal: bool = False

    @classmethod
    def of(cls, error: ConversationRefusedError) -> Fault:
        """The fault of an answer that cannot be stored."""
        kind = cast(FailureType, error.failure_type)
        return cls(kind, error.reason, error.message, error.pattern)


@dataclass(frozen=True, slots=True)
class ItemFinalizer:
    """Completes, fails and requeues the items of one job, of either kind.

    A lost lease is only logged: the item belongs to another worker. Methods raise StorageError.
    """

    job: BatchJob
    commits: GroupCommit[Ended, dict[int, BrightRunError]]
    clock: Clock
    retry_base_seconds: float

    def is_final(self, item: BatchItem, error: ClaudeCallError) -> bool:
        """Whether the item fails with this error instead of being requeued.

        An answer that was perhaps billed and cannot be used is asked for again once.
        """
        repeated = error.maybe_billed and item.error_code == error.reason
        return not error.retryable or repeated or item.attempts >= self.job.most_attempts

    async def requeue(
        self, item: BatchItem, error: ClaudeCallError, usage: Usage | None = None
    ) -> float | None:
        """Queue an item for another attempt; returns seconds to wait if Claude is overloaded.

        In the economy lane an unusable answer is counted now, since its repair is hours away. In
        the realtime lane it is counted when the next attempt finds it.
        """
        delay = retry_delay_s(item.attempts, self.retry_base_seconds, error.retry_after_s)
        line = batch_log.item_requeued(
            item.item_id, error.message, item.attempts, self.job.most_attempts, delay
        )
        counted = usage.due() if usage and self.job.is_economy else {}
        outcome = Outcome(
            status=ItemStatus.QUEUED,
            lines=[self.line(item, line)],
            **counted,
            retry_at=epoch_ms(self.clock()) + round(delay * 1000),
            error_code=error.reason,
            error_message=error.message,
        )
        await self.complete(item, outcome)
        return delay if error.overloaded else None

    async def fail(
        self,
        item: BatchItem,
        fault: Fault,
        *,
        usage: Usage | None = None,
        failure: FailedGeneration | None = None,
    ) -> None:
        """Fail an item; also stop the job if the fault is fatal or its error_handling is "stop"."""
        stop_reason, used = None, usage or Usage()
        if fault.fatal:
            stop_reason = f"No call to Claude can succeed: {fault.message}"
        elif self.job.error_handling == "stop":
            stop_reason = f"Item {item.position} failed: {fault.message}"
        outcome = Outcome(
            status=ItemStatus.FAILED,
            lines=[self.line(item, batch_log.item_failed(item.item_id, fault.message))],
            **used.due(),
            failure=failure,
            stop_reason=stop_reason,
            error_code=fault.reason,
            error_message=fault.message,
        )
        await self.complete(item, outcome)

    async def complete(self, item: BatchItem, outcome: Outcome) -> bool:
        """Release an item with its outcome; returns False if the lease was lost.

        Raises StorageError, RecordTooLargeError.
        """
        error = (await self.commits.add((item, outcome))).get(item.position)
        if isinstance(error, LeaseLostError):
            logger().warning("lease_lost", item_id=item.item_id, status=outcome.status.value)
            return False
        if error is not None:
            raise error
        return True

    def line(self, item: BatchItem, message: str) -> batch_log.LogLine:
        """Create a log line that is attributed to the item's worker."""
        return batch_log.log_line(self.clock(), item.lease_token or item.item_id, message)


class FailureRecorder:
    """Stores failure reports for the items of one job."""

    def __init__(self, reports: ObjectStore, job: BatchJob, clock: Clock) -> None:
        self._reports = reports
        self._job = job
        self._clock = clock

    def record(
        self, item: BatchItem, prompt: Prompt, completion: Completion | None, fault: Fault
    ) -> FailedGeneration:
        """Store the report and return the record that refers to it; raises StorageError."""
        now = self._clock()
        report = _failure_report(
            item, prompt, completion, fault, model=self._job.model, timestamp=iso(now)
        )
        failure_id = time_ordered_id(now)
        path = object_keys.failure_report(failure_id, now)
        body = json.dumps(report, ensure_ascii=False, indent=2)
        self._reports.put(path, body, content_type="application/json")
        return FailedGeneration(
            owner_id=self._job.owner_id,
            failure_id=failure_id,
            run_id=self._job.job_id,
            item_id=item.item_id,
            conversation_id=conversation_id(item.item_id),
            failure_type=fault.failure_type,
            reason=fault.reason,
            error_message=fault.message,
            model=completion.model if completion else self._job.model,
            max_tokens=_room(completion),
            prompt_length=len(prompt.user),
            input_tokens=completion.input_tokens if completion else 0,
            output_tokens=completion.output_tokens if completion else 0,
            raw_file_path=path,
            persona_id=item.persona_id,
            emotional_arc_id=item.emotional_arc_id,
            training_topic_id=item.training_topic_id,
            template_id=item.template_id,
            created_at=iso(now),
            stop_reason=completion.stop_reason if completion else None,
            truncation_pattern=fault.pattern,
            truncation_details=_truncation_details(fault),
            simulated=completion.simulated if completion else False,
        )


_ANALYSES = {
    "end_turn": "Claude ended the answer by itself.",
    "max_tokens": "The answer reached the limit on output tokens.",
    "refusal": "Claude declined to write the conversation.",
    "model_context_window_exceeded": "Prompt and answer did not fit the context window.",
}
_FAR_BELOW_LIMIT = 0.8


def _failure_report(
    item: BatchItem,
    prompt: Prompt,
    completion: Completion | None,
    fault: Fault,
    *,
    model: str,
    timestamp: str,
) -> dict[str, Any]:
    """Build the failure report in v1's format; unknown values are null."""
    stop_reason = completion.stop_reason if completion else None
    return {
        "error_report": {
            "failure_type": fault.failure_type,
            "reason": fault.reason,
            "stop_reason": stop_reason,
            "stop_reason_analysis": _stop_reason_analysis(stop_reason),
            "truncation_pattern": fault.pattern,
            "truncation_details": _truncation_details(fault),
            "error_message": fault.message,
            "timestamp": timestamp,
            "analysis": _token_analysis(completion),
        },
        "request_context": {
            "model": model,
            "temperature": None,
            "max_tokens": _room(completion),
            "structured_outputs_enabled": True,
            "prompt_length": len(prompt.user),
            "system_prompt": prompt.system,
            "prompt": prompt.user,
        },
        "raw_response": completion.metadata() if completion else None,
        "extracted_content": completion.text if completion else None,
        "scaffolding_context": {
            "persona_id": item.persona_id,
            "emotional_arc_id": item.emotional_arc_id,
            "training_topic_id": item.training_topic_id,
            "template_id": item.template_id,
        },
    }


def _stop_reason_analysis(stop_reason: str | None) -> str:
    if stop_reason is None:
        return "There was no answer, so there is no stop reason."
    return _ANALYSES.get(stop_reason, f"The stop reason {stop_reason} is unexpected.")


def _token_analysis(completion: Completion | None) -> dict[str, Any]:
    if completion is None:
        return {
            "input_tokens": None,
            "output_tokens": None,
            "max_tokens_configured": _room(completion),
            "tokens_remaining": None,
            "conclusion": "The call failed before there was an answer.",
        }
    room = _room(completion)
    remaining = room - completion.output_tokens
    return {
        "input_tokens": completion.input_tokens,
        "output_tokens": completion.output_tokens,
        "max_tokens_configured": room,
        "tokens_remaining": remaining,
        "conclusion": _conclusion(completion.stop_reason, remaining / room),
    }


def _room(completion: Completion | None) -> int:
    """The limit on output tokens of the call that failed."""
    return completion.max_output_tokens if completion else MAX_OUTPUT_TOKENS


def _conclusion(stop_reason: str, unused: float) -> str:
    if stop_reason == "max_tokens":
        return "The output token limit was reached; raise it or ask for fewer exchanges."
    if unused > _FAR_BELOW_LIMIT:
        return "The answer is far below the token limit; the limit is not the cause."
    return "The token counts alone do not show the cause."


def _truncation_details(fault: Fault) -> str | None:
    return fault.message if fault.failure_type == "truncation" else None
