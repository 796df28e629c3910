"""Composition of the generate function."""

from __future__ import annotations

from functools import cache

from brightrun.aws.objects import S3Objects
from brightrun.aws.request_keys import DynamoRequestKeys
from brightrun.batches.create_batch import BatchCreator, JobStarter
from brightrun.batches.create_judgements import JudgementCreator
from brightrun.http.app import Services
from brightrun.scaffolding.repository import DynamoScaffolding
from brightrun.wiring import clients, conversation_table
from brightrun.wiring.batch_tables import new_batches, workflow
from brightrun.wiring.budgets import BudgetSettings, budgets


class GenerateSettings(BudgetSettings):
    """The environment of the generate function."""

    scaffolding_table: str
    batch_jobs_table: str
    batch_items_table: str
    conversations_table: str
    idempotency_table: str
    batch_logs_bucket: str
    generate_batch_state_machine_arn: str
    claude_model: str
    claude_provider: str


@cache
def batch_creator() -> BatchCreator:
    """Compose the service that creates generation jobs."""
    settings = GenerateSettings.from_environment()
    return BatchCreator(
        scaffolding=DynamoScaffolding(clients.dynamodb(), settings.scaffolding_table),
        starter=_job_starter(settings),
        clock=clients.clock,
        model=settings.claude_model,
        provider=settings.claude_provider,
    )


def judgement_creator() -> JudgementCreator:
    """Compose the service that creates judgement jobs."""
    settings = GenerateSettings.from_environment()
    return JudgementCreator(
        conversations=conversation_table.conversations(settings.conversations_table),
        starter=_job_starter(settings),
        clock=clients.clock,
    )


def _job_starter(settings: GenerateSettings) -> JobStarter:
    return JobStarter(
        batches=new_batches(
            settings.batch_jobs_table, settings.batch_items_table, budgets(settings)
        ),
        plans=S3Objects(clients.s3(), settings.batch_logs_bucket),
        keys=DynamoRequestKeys(clients.dynamodb(), settings.idempotency_table),
        workflow=workflow(settings.generate_batch_state_machine_arn),
        budgets=budgets(settings),
    )


SERVICES: Services = {BatchCreator: batch_creator, JudgementCreator: judgement_creator}
