"""Reads the generation log and the failed generations, and totals the cost of calls to Claude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.generation_log.model import (
    FailedGeneration,
    GenerationLogEntry,
    LoggedCall,
)
from brightrun.conversations.service import Download, signed_download
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, DateRange

if TYPE_CHECKING:
    from brightrun.conversations.generation_log.repository import DynamoGenerationLog


@dataclass(frozen=True, slots=True)
class GenerationLogReader:
    """Reads calls to Claude and failed generations, and signs links to reports."""

    records: DynamoGenerationLog
    failure_reports: ObjectStore
    clock: Clock

    def failure(self, owner_id: str, failure_id: str) -> FailedGeneration:
        """Read a failed generation; raises NotFoundError."""
        return self.records.failure(owner_id, failure_id)

    def failures(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: DateRange,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[FailedGeneration]:
        """List the failed generations of `days`, newest first."""
        return self.records.failures(owner_id, filters, days, limit=limit, cursor=cursor)

    def failure_report(self, owner_id: str, failure_id: str) -> Download:
        """Sign a link to a failure's report."""
        failure = self.failure(owner_id, failure_id)
        filename = f"failed-{failure_id}.json"
        path = failure.raw_file_path
        return signed_download(
            self.failure_reports, self.clock(), failure.conversation_id, path, filename, None
        )

    def log_entries(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: DateRange,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[GenerationLogEntry]:
        """List the calls to Claude of `days`, newest first."""
        return self.records.log_entries(owner_id, filters, days, limit=limit, cursor=cursor)

    def statistics(self, owner_id: str) -> LogStatistics:
        """Total an owner's calls to Claude."""
        statistics = LogStatistics()
        for call in self.records.all_calls(owner_id):
            statistics.add(call)
        return statistics


class LogStatistics:
    """Totals of the generation log."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.cost_micro_usd: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.durations_ms: list[int] = []

    def add(self, call: LoggedCall) -> None:
        """Count one call."""
        self.calls[call.status] += 1
        self.cost_micro_usd[call.model_used] += call.cost_micro_usd
        self.input_tokens += call.input_tokens
        self.output_tokens += call.output_tokens
        if call.status == "success":
            self.durations_ms.append(call.duration_ms)
