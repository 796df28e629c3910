"""The composition root: the only place where services meet real tables, buckets and clients.

Everything is built at a function's first call and kept for the life of its process.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from brightrun import settings
from brightrun.gateways.workflow import StepFunctionsWorkflow, workflow_client
from brightrun.repositories.batch_claims import DynamoClaims
from brightrun.repositories.batch_lists import DynamoBatchLists
from brightrun.repositories.batch_rows import BatchTables
from brightrun.repositories.batches import DynamoBatches
from brightrun.repositories.dynamodb import dynamodb_client
from brightrun.repositories.objects import S3Objects, s3_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_stepfunctions.client import SFNClient

    from brightrun.gateways.claude import AnthropicClaude
    from brightrun.repositories.conversations import DynamoConversations
    from brightrun.services.control_batch import BatchControls
    from brightrun.services.create_batch import BatchCreator
    from brightrun.services.enrich_conversation import ConversationEnricher
    from brightrun.services.finish_batch import BatchFinisher
    from brightrun.services.manage_scaffolding import ScaffoldingEditor
    from brightrun.services.read_conversations import ConversationReader
    from brightrun.services.request_enrichment import EnrichmentDesk
    from brightrun.services.run_worker import WorkerRunner


def clock() -> datetime:
    """Say what time it is, in UTC."""
    return datetime.now(UTC)


dynamodb: Callable[[], DynamoDBClient] = cache(dynamodb_client)
s3: Callable[[], S3Client] = cache(s3_client)


@dataclass(frozen=True, slots=True)
class Batches:
    """The three views of the batch tables."""

    jobs: DynamoBatches
    claims: DynamoClaims
    lists: DynamoBatchLists


def batches(environment: settings.BatchTables) -> Batches:
    """Open the batch tables."""
    tables = BatchTables(
        jobs=environment.batch_jobs_table,
        items=environment.batch_items_table,
        logs=environment.batch_logs_table,
    )
    outcomes = (
        {
            "conversations_table": environment.conversations_table,
            "failed_generations_table": environment.failed_generations_table,
        }
        if isinstance(environment, settings.ProcessNextSettings)
        else {}
    )
    return Batches(
        jobs=DynamoBatches(dynamodb(), tables),
        claims=DynamoClaims(dynamodb(), tables, **outcomes),
        lists=DynamoBatchLists(dynamodb(), tables),
    )


@cache
def workflows() -> SFNClient:
    """Open Step Functions."""
    return workflow_client()


def workflow(state_machine_arn: str) -> StepFunctionsWorkflow:
    """Open the batch state machine."""
    return StepFunctionsWorkflow(workflow_client(), state_machine_arn)


@cache
def scaffolding_editor() -> ScaffoldingEditor:
    """Build what the scaffolding function does."""
    from brightrun.repositories.scaffolding import DynamoScaffolding
    from brightrun.services.manage_scaffolding import ScaffoldingEditor

    environment = settings.ScaffoldingSettings.from_environment()
    return ScaffoldingEditor(DynamoScaffolding(dynamodb(), environment.scaffolding_table), clock)


@cache
def batch_creator() -> BatchCreator:
    """Build what the generate function does."""
    from brightrun.repositories.request_keys import DynamoRequestKeys
    from brightrun.repositories.scaffolding import DynamoScaffolding
    from brightrun.services.create_batch import BatchCreator

    environment = settings.GenerateSettings.from_environment()
    tables = BatchTables(jobs=environment.batch_jobs_table, items=environment.batch_items_table)
    return BatchCreator(
        scaffolding=DynamoScaffolding(dynamodb(), environment.scaffolding_table),
        batches=DynamoBatches(dynamodb(), tables),
        plans=S3Objects(s3(), environment.batch_logs_bucket),
        keys=DynamoRequestKeys(dynamodb(), environment.idempotency_table),
        workflow=workflow(environment.generate_batch_state_machine_arn),
        clock=clock,
        model=environment.claude_model,
    )


@cache
def batch_views() -> Batches:
    """Build what the batch_jobs function reads."""
    return batches(settings.BatchJobsSettings.from_environment())


@cache
def batch_controls() -> BatchControls:
    """Build what the batch_jobs function does."""
    from brightrun.services.control_batch import BatchControls

    environment = settings.BatchJobsSettings.from_environment()
    opened = batches(environment)
    return BatchControls(
        batches=opened.jobs,
        claims=opened.claims,
        lists=opened.lists,
        workflow=workflow(environment.generate_batch_state_machine_arn),
        clock=clock,
    )


@cache
def batch_finisher() -> BatchFinisher:
    """Build what the finish_batch function does."""
    from brightrun.services.finish_batch import BatchFinisher
    from brightrun.services.sweep_enrichment import EnrichmentSweep

    environment = settings.FinishBatchSettings.from_environment()
    opened = batches(environment)
    return BatchFinisher(
        batches=opened.jobs,
        claims=opened.claims,
        lists=opened.lists,
        logs=S3Objects(s3(), environment.batch_logs_bucket),
        workflow=workflow(environment.generate_batch_state_machine_arn),
        clock=clock,
        sweep=EnrichmentSweep(conversations(environment), enricher(environment)).sweep,
    )


@cache
def worker_runner() -> WorkerRunner:
    """Build what the process_next function does."""
    from brightrun.gateways.claude import anthropic_claude
    from brightrun.gateways.secrets import claude_api_key
    from brightrun.repositories.generation_records import DynamoGenerationRecords
    from brightrun.services.run_worker import WorkerRunner

    environment = settings.ProcessNextSettings.from_environment()
    opened = batches(environment)

    @cache
    def api_key() -> str:
        if environment.claude_provider == "direct":
            return claude_api_key(environment.claude_api_key_secret_arn)
        return "not-needed"

    def open_claude(model: str) -> AnthropicClaude:
        return anthropic_claude(
            environment.claude_provider,
            model,
            clock().date(),
            base_url=environment.claude_base_url,
            api_key=api_key(),
            workspace_id=environment.claude_workspace_id,
        )

    return WorkerRunner(
        batches=opened.jobs,
        claims=opened.claims,
        lists=opened.lists,
        records=DynamoGenerationRecords(
            dynamodb(), environment.generation_logs_table, environment.failed_generations_table
        ),
        conversation_files=S3Objects(s3(), environment.conversation_files_bucket),
        plans=S3Objects(s3(), environment.batch_logs_bucket),
        failure_reports=S3Objects(s3(), environment.failed_generation_files_bucket),
        open_claude=open_claude,
        clock=clock,
        lease_seconds=environment.lease_seconds,
        retry_base_seconds=environment.retry_base_seconds,
        new_token=lambda: uuid.uuid4().hex,
        after_stored=enricher(environment).enrich,
        conversations=conversations(environment),
    )


Enriching = (
    settings.ProcessNextSettings | settings.FinishBatchSettings | settings.ConversationsSettings
)


def conversations(environment: Enriching) -> DynamoConversations:
    """Open the conversations table."""
    from brightrun.repositories.conversations import DynamoConversations

    return DynamoConversations(dynamodb(), environment.conversations_table)


def enricher(environment: Enriching) -> ConversationEnricher:
    """Build what enriches conversations, in whichever function."""
    from brightrun.services.enrich_conversation import ConversationEnricher
    from brightrun.services.find_scaffold import ScaffoldFinder

    return ConversationEnricher(
        conversations=conversations(environment),
        conversation_files=S3Objects(s3(), environment.conversation_files_bucket),
        scaffolds=ScaffoldFinder(S3Objects(s3(), environment.batch_logs_bucket)),
        clock=clock,
    )


@cache
def enrichment_desk() -> EnrichmentDesk:
    """Build what enriches conversations on request."""
    from brightrun.services.request_enrichment import EnrichmentDesk

    environment = settings.ConversationsSettings.from_environment()
    return EnrichmentDesk(conversations(environment), enricher(environment))


@cache
def conversation_reader() -> ConversationReader:
    """Build what the conversations function does."""
    from brightrun.repositories.conversations import DynamoConversations
    from brightrun.repositories.generation_records import DynamoGenerationRecords
    from brightrun.services.read_conversations import ConversationReader

    environment = settings.ConversationsSettings.from_environment()
    return ConversationReader(
        conversations=DynamoConversations(dynamodb(), environment.conversations_table),
        records=DynamoGenerationRecords(
            dynamodb(), environment.generation_logs_table, environment.failed_generations_table
        ),
        conversation_files=S3Objects(s3(), environment.conversation_files_bucket),
        failure_reports=S3Objects(s3(), environment.failed_generation_files_bucket),
        clock=clock,
    )
