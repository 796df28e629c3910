"""Reads conversations, failures and the generation log for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.generation_records import FailedGeneration, GenerationLogEntry
from brightrun.domain.moments import Days, iso
from brightrun.domain.pages import Page
from brightrun.errors import NotEnrichedError, NotFoundError
from brightrun.ports import (
    LINK_SECONDS,
    Clock,
    ConversationReads,
    DownloadLinks,
    GenerationReads,
    ObjectStore,
)


class Files(ObjectStore, DownloadLinks, Protocol):
    """A bucket to read from and to sign links for."""


@dataclass(frozen=True, slots=True)
class Download:
    """A link to one object, and until when it works."""

    conversation_id: str
    download_url: str
    filename: str
    file_size: int | None
    expires_at: str
    expires_in_seconds: int = LINK_SECONDS


@dataclass(frozen=True, slots=True)
class ConversationReader:
    """What the conversations function reads."""

    conversations: ConversationReads
    records: GenerationReads
    conversation_files: Files
    failure_reports: Files
    clock: Clock

    def one(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read a conversation's row; raises NotFoundError."""
        return self.conversations.conversation(owner_id, conversation_id)

    def turns(self, record: ConversationRecord) -> list[dict[str, Any]]:
        """Read the turns of a conversation; raises NotFoundError when its file is gone."""
        stored = self.conversation_files.get(record.file_path)
        if stored is None:
            raise NotFoundError("conversation file", record.conversation_id)
        turns: list[dict[str, Any]] = json.loads(stored.text)["turns"]
        return turns

    def download(self, owner_id: str, conversation_id: str, *, raw: bool) -> Download:
        """Sign a link to the parsed conversation, or to Claude's answer as it came."""
        record = self.one(owner_id, conversation_id)
        path, size = (
            (record.raw_response_path, record.raw_response_size)
            if raw
            else (record.file_path, record.file_size)
        )
        filename = f"{conversation_id}.raw.json" if raw else f"{conversation_id}.json"
        return self._link(self.conversation_files, conversation_id, path, filename, size)

    def download_enriched(self, owner_id: str, conversation_id: str) -> Download:
        """Sign a link to the training pairs; raises NotEnrichedError until there are any."""
        record = self.one(owner_id, conversation_id)
        if record.enriched_file_path is None:
            raise NotEnrichedError(
                f"The conversation '{conversation_id}' has no enriched file; its enrichment is "
                f"at '{record.enrichment_status}'. Run it with POST "
                f"/api/conversations/{conversation_id}/enrich.",
                details={"enrichment_status": record.enrichment_status},
            )
        filename = f"{conversation_id}.enriched.json"
        size = record.enriched_file_size
        return self._link(
            self.conversation_files, conversation_id, record.enriched_file_path, filename, size
        )

    def failure(self, owner_id: str, failure_id: str) -> FailedGeneration:
        """Read a failed generation; raises NotFoundError."""
        return self.records.failure(owner_id, failure_id)

    def failures(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: Days,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[FailedGeneration]:
        """List failed generations of some days, newest first."""
        return self.records.failures(owner_id, filters, days, limit=limit, cursor=cursor)

    def failure_report(self, owner_id: str, failure_id: str) -> Download:
        """Sign a link to a failure's report."""
        failure = self.failure(owner_id, failure_id)
        filename = f"failed-{failure_id}.json"
        path = failure.raw_file_path
        return self._link(self.failure_reports, failure.conversation_id, path, filename, None)

    def log_entries(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[GenerationLogEntry]:
        """List calls to Claude, newest first."""
        return self.records.log_entries(owner_id, limit=limit, cursor=cursor)

    def statistics(self, owner_id: str) -> LogStatistics:
        """Add up an owner's calls to Claude."""
        statistics = LogStatistics()
        for entry in self.records.all_log_entries(owner_id):
            statistics.add(entry)
        return statistics

    def _link(
        self, files: Files, conversation_id: str, path: str, filename: str, size: int | None
    ) -> Download:
        expires_at = iso(self.clock() + timedelta(seconds=LINK_SECONDS))
        link = files.link(path, filename)
        return Download(conversation_id, link, filename, size, expires_at)


class LogStatistics:
    """Sums over the generation log."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.cost_micro_usd: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.durations_ms: list[int] = []

    def add(self, entry: GenerationLogEntry) -> None:
        """Count one call."""
        self.calls[entry.status] += 1
        self.cost_micro_usd[entry.model_used] += entry.cost_micro_usd
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        if entry.status == "success":
            self.durations_ms.append(entry.duration_ms)
