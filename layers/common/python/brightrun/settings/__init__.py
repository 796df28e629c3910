"""What each function is told by its environment: one validated class per function."""

from __future__ import annotations

import os
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ClaudeProvider = Literal["direct", "aws", "bedrock", "simulator"]


class Settings(BaseModel):
    """Read once, at a function's first call; a missing variable fails by its name."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the fields from variables of the same name in capitals.

        Raises RuntimeError that names every variable that is missing or wrong.
        """
        values = {
            name: os.environ[name.upper()]
            for name in cls.model_fields
            if os.environ.get(name.upper())
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = "; ".join(
                f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()
            )
            raise RuntimeError(f"The function's environment is incomplete: {faults}") from None


class ScaffoldingSettings(Settings):
    """The scaffolding function."""

    scaffolding_table: str


class NewBatchTables(Settings):
    """Where a job and its items are stored when it is made."""

    batch_jobs_table: str
    batch_items_table: str


class BatchTables(NewBatchTables):
    """Where jobs, their items and their log lines are."""

    batch_logs_table: str


class GenerateSettings(ScaffoldingSettings, NewBatchTables):
    """The generate function."""

    conversations_table: str
    idempotency_table: str
    batch_logs_bucket: str
    generate_batch_state_machine_arn: str
    claude_model: str


class BatchJobsSettings(BatchTables):
    """The batch_jobs function."""

    generate_batch_state_machine_arn: str


class FinishBatchSettings(BatchTables):
    """The finish_batch function."""

    conversations_table: str
    conversation_files_bucket: str
    batch_logs_bucket: str
    generate_batch_state_machine_arn: str


class ProcessNextSettings(BatchTables):
    """The process_next function."""

    conversations_table: str
    generation_logs_table: str
    failed_generations_table: str
    conversation_files_bucket: str
    batch_logs_bucket: str
    failed_generation_files_bucket: str
    claude_provider: ClaudeProvider
    claude_model: str
    claude_base_url: str = ""
    claude_api_key_secret_arn: str = ""
    claude_workspace_id: str = ""
    lease_seconds: int = Field(ge=5, le=900)
    retry_base_seconds: float = Field(ge=0, le=300)


class ConversationsSettings(Settings):
    """The conversations function."""

    conversations_table: str
    review_audit_table: str
    generation_logs_table: str
    failed_generations_table: str
    conversation_files_bucket: str
    batch_logs_bucket: str
    failed_generation_files_bucket: str


class TrainingFilesSettings(Settings):
    """The training_files function."""

    training_files_table: str
    conversations_table: str
    training_files_bucket: str
    conversation_files_bucket: str
