"""Composition of the process_next function, the worker of a batch."""

from __future__ import annotations

import uuid
from functools import cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from brightrun.aws.objects import S3Objects
from brightrun.aws.secrets import claude_api_key
from brightrun.batches.worker import WorkerRunner
from brightrun.conversations.generation_log.repository import DynamoGenerationLog
from brightrun.wiring import clients
from brightrun.wiring.batch_tables import BatchTableSettings, batches, claims
from brightrun.wiring.enrichment import (
    EnrichmentSettings,
    conversation_files,
    conversations,
    enricher,
)

if TYPE_CHECKING:
    from brightrun.claude.client import AnthropicClaude

ClaudeProvider = Literal["direct", "aws", "bedrock", "simulator"]


class ProcessNextSettings(BatchTableSettings, EnrichmentSettings):
    """The environment of the process_next function."""

    generation_logs_table: str
    failed_generations_table: str
    failed_generation_files_bucket: str
    claude_provider: ClaudeProvider
    claude_model: str
    claude_base_url: str = ""
    claude_api_key_secret_arn: str = ""
    claude_workspace_id: str = ""
    lease_seconds: int = Field(ge=5, le=900)
    retry_base_seconds: float = Field(ge=0, le=300)


@cache
def worker_runner() -> WorkerRunner:
    """Compose the service that claims and processes items."""
    settings = ProcessNextSettings.from_environment()
    return WorkerRunner(
        batches=batches(settings),
        claims=claims(
            settings,
            conversations_table=settings.conversations_table,
            failed_generations_table=settings.failed_generations_table,
        ),
        records=DynamoGenerationLog(
            clients.dynamodb(), settings.generation_logs_table, settings.failed_generations_table
        ),
        conversation_files=conversation_files(settings),
        plans=S3Objects(clients.s3(), settings.batch_logs_bucket),
        failure_reports=S3Objects(clients.s3(), settings.failed_generation_files_bucket),
        open_claude=_ClaudeOpener(settings),
        clock=clients.clock,
        lease_seconds=settings.lease_seconds,
        retry_base_seconds=settings.retry_base_seconds,
        new_token=lambda: uuid.uuid4().hex,
        after_stored=enricher(settings).enrich,
        conversations=conversations(settings),
    )


class _ClaudeOpener:
    """Creates clients of Claude; the API key is read once."""

    def __init__(self, settings: ProcessNextSettings) -> None:
        self._settings = settings
        self._api_key = cache(self._read_api_key)

    def __call__(self, model: str) -> AnthropicClaude:
        from brightrun.claude.client import anthropic_claude

        return anthropic_claude(
            self._settings.claude_provider,
            model,
            clients.clock().date(),
            base_url=self._settings.claude_base_url,
            api_key=self._api_key(),
            workspace_id=self._settings.claude_workspace_id,
        )

    def _read_api_key(self) -> str:
        if self._settings.claude_provider == "direct":
            return claude_api_key(self._settings.claude_api_key_secret_arn)
        return "not-needed"
