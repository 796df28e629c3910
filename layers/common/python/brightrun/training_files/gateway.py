"""Starts the build of a version of a training file, in AWS Step Functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from brightrun.aws.step_functions import start_once
from brightrun.training_files.model import Build, TrainingFile

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class BuildWorkflow(Protocol):
    """Starts the state machine that builds a version."""

    def ensure_building(self, file: TrainingFile, build: Build) -> None:
        """Start a build; starting it again changes nothing. Raises StorageError."""


class StepFunctionsBuild(BuildWorkflow):
    """One execution for each build, named after its attempt."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_building(self, file: TrainingFile, build: Build) -> None:
        request = {"ownerId": file.owner_id, "fileId": file.file_id, "attempt": build.attempt}
        start_once(self._client, self._state_machine_arn, build.attempt, request)
