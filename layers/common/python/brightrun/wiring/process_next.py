"""Composition of the process_next function, the worker of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from brightrun.aws.objects import S3Objects
from brightrun.aws.request_keys import ANSWERS_KEPT_FOR, DynamoRequestKeys
from brightrun.aws.running_workers import DynamoRunningWorkers
from brightrun.aws.secrets import claude_api_key
from brightrun.batches.run_worker import WorkerRunner
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
    idempotency_table: str
    claude_provider: ClaudeProvider
    claude_model: str
    claude_base_url: str = ""
    claude_api_key_secret_arn: str = ""
    claude_workspace_id: str = ""
    lease_seconds: int = Field(ge=5, le=900)
    retry_base_seconds: float = Field(ge=0, le=300)
    max_claude_calls: int = Field(ge=0, le=10_000)


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
        open_claude=_claude_opener(settings),
        clock=clients.clock,
        lease_seconds=settings.lease_seconds,
        retry_base_seconds=settings.retry_base_seconds,
        new_token=lambda: uuid.uuid4().hex,
        enrich=enricher(settings).enriched,
        conversations=conversations(settings),
        answers=DynamoRequestKeys(clients.dynamodb(), settings.idempotency_table, ANSWERS_KEPT_FOR),
        running=DynamoRunningWorkers(clients.dynamodb(), settings.idempotency_table),
        most_calls=settings.max_claude_calls,
    )


def _claude_opener(settings: ProcessNextSettings) -> Callable[[str], AnthropicClaude]:
    """Return a function that creates the client for a model; it reads the API key once."""
    from brightrun.claude.client import anthropic_claude

    clock = clients.clock

    @cache
    def api_key() -> str:
        if settings.claude_provider == "direct":
            return claude_api_key(settings.claude_api_key_secret_arn)
        return "not-needed"

    def open_claude(model: str) -> AnthropicClaude:
        return anthropic_claude(
            settings.claude_provider,
            model,
            clock().date(),
            base_url=settings.claude_base_url,
            api_key=api_key(),
            workspace_id=settings.claude_workspace_id,
        )

    return open_claude
