"""What builds training files and validates datasets: two state machines with a function each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.state_machine import LoggedStateMachine
from infra.components.target import Target
from infra.settings import StageSettings
from infra.stacks.data import DataStack

VALIDATE_DATASET = "brightrun-validate-dataset"
BUILD_TRAINING_FILE = "brightrun-build-training-file"
_DEFINITIONS = Path(__file__).resolve().parents[1] / "state_machines"
VALIDATE_DATASET_DEFINITION = _DEFINITIONS / "validate_dataset.asl.json"
BUILD_TRAINING_FILE_DEFINITION = _DEFINITIONS / "build_training_file.asl.json"

RUNBOOKS = {
    "validate_dataset": "stuck_dataset",
    "build_training_file": "stuck_training_file",
}
# 1,769 MB buy a whole vCPU (AWS, "Configure Lambda function memory"): the validator is bound by it
# and needs under 100 MB itself. 500 MB take it seconds; the time is for a slow read from S3.
VALIDATE = FunctionSpec(name="validate_dataset", timeout_s=900, memory_mb=1769)
# Likewise bound by a vCPU: it parses and writes JSON, and holds the hashes of 50,000 conversations.
BUILD = FunctionSpec(name="build_training_file", timeout_s=900, memory_mb=1769)


class DatasetsStack(Stack):
    """State machines ValidateDataset and BuildTrainingFile; `targets` tell how to start them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        data: DataStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.add_stack_dependency(data)
        self._settings = settings
        self._layers = shared_layers(self)
        self.targets: Mapping[str, Target] = {
            "ValidateDatasetStateMachine": self._machine(
                "Validation",
                self._worker(VALIDATE, data.targets),
                name=VALIDATE_DATASET,
                definition=VALIDATE_DATASET_DEFINITION,
                remedy="confirm the dataset again",
            ),
            "BuildTrainingFileStateMachine": self._machine(
                "TrainingFileBuild",
                self._worker(BUILD, data.targets),
                name=BUILD_TRAINING_FILE,
                definition=BUILD_TRAINING_FILE_DEFINITION,
                remedy="the file's build says why; add the conversations again",
            ),
        }

    def _worker(self, spec: FunctionSpec, targets: Mapping[str, Target]) -> lambda_.Function:
        worker = ServiceFunction(
            self,
            spec,
            settings=self._settings,
            layers=self._layers,
            targets=targets,
            environment={},
        )
        worker.alarm_on_errors(remedy="the workflow tries it again", runbook=RUNBOOKS[spec.name])
        return worker.function

    def _machine(
        self,
        construct_id: str,
        function: lambda_.Function,
        *,
        name: str,
        definition: Path,
        remedy: str,
    ) -> Target:
        """A machine that runs one function, both of one name, which its target has too."""
        grants = name.removeprefix("brightrun-").replace("-", "_")
        words = "".join(word.capitalize() for word in grants.split("_"))
        machine = LoggedStateMachine(
            self,
            construct_id,
            name=name,
            grants=grants,
            definition=definition,
            function_arns={f"{words}Function": function.function_arn},
            settings=self._settings,
            remedy=remedy,
            runbook=RUNBOOKS[grants],
        )
        arn = machine.state_machine.state_machine_arn
        CfnOutput(self, f"{words}StateMachineArn", value=arn)
        return Target(arn, f"{grants.upper()}_STATE_MACHINE_ARN", arn)
