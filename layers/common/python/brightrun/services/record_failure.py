"""Keeps a failed generation: the report as an object, and its row for the item's transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from brightrun.domain import object_keys
from brightrun.domain.batch import BatchItem, BatchJob
from brightrun.domain.claude import MAX_OUTPUT_TOKENS, Completion
from brightrun.domain.failure_report import failure_report
from brightrun.domain.generation_records import FailedGeneration, FailureType
from brightrun.domain.ids import conversation_id, time_ordered_id
from brightrun.domain.moments import iso
from brightrun.domain.prompt_assembly import Prompt
from brightrun.ports import Clock, ObjectStore


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item failed; `fatal`: so will every other item of the job."""

    failure_type: str
    reason: str
    message: str
    pattern: str | None = None
    fatal: bool = False


class FailureRecorder:
    """Writes failure reports for the items of one job."""

    def __init__(self, reports: ObjectStore, job: BatchJob, clock: Clock) -> None:
        self._reports = reports
        self._job = job
        self._clock = clock

    def record(
        self, item: BatchItem, prompt: Prompt, completion: Completion | None, fault: Fault
    ) -> FailedGeneration:
        """Store the report and give the row that belongs to it; raises StorageError."""
        now = self._clock()
        failure_type = cast(FailureType, fault.failure_type)
        report = failure_report(
            item,
            prompt,
            completion,
            model=self._job.model,
            failure_type=failure_type,
            reason=fault.reason,
            message=fault.message,
            pattern=fault.pattern,
            timestamp=iso(now),
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
            failure_type=failure_type,
            reason=fault.reason,
            error_message=fault.message,
            model=completion.model if completion else self._job.model,
            max_tokens=MAX_OUTPUT_TOKENS,
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
            truncation_details=fault.message if failure_type == "truncation" else None,
            simulated=completion.simulated if completion else False,
        )
