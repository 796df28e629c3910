"""The validation of datasets: its state machine and the function that it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.components.alarm import failure_alarm
from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.state_machine import LoggedStateMachine
from infra.components.target import Target
from infra.settings import StageSettings
from infra.stacks.data import DataStack

VALIDATE_DATASET = "brightrun-validate-dataset"
VALIDATE_DATASET_DEFINITION = (
    Path(__file__).resolve().parents[1] / "state_machines" / "validate_dataset.asl.json"
)

# 1,769 MB buy a whole vCPU (AWS, "Configure Lambda function memory"): the validator is bound by it
# and needs under 100 MB itself. 500 MB take it seconds; the time is for a slow read from S3.
VALIDATE = FunctionSpec(name="validate_dataset", timeout_s=900, memory_mb=1769)


class DatasetsStack(Stack):
    """State machine ValidateDataset; `validate_dataset` tells how to start it."""

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
        validator = ServiceFunction(
            self,
            VALIDATE,
            settings=settings,
            layers=shared_layers(self),
            targets=data.targets,
            environment={},
        )
        failure_alarm(
            validator,
            "ErrorAlarm",
            metric=validator.function.metric_errors(),
            description="validate_dataset crashed or timed out; the workflow tries it again",
        )
        machine = LoggedStateMachine(
            self,
            "Validation",
            name=VALIDATE_DATASET,
            grants="validate_dataset",
            definition=VALIDATE_DATASET_DEFINITION,
            function_arns={"ValidateDatasetFunction": validator.function.function_arn},
            settings=settings,
            remedy="confirm the dataset again",
        )
        arn = machine.state_machine.state_machine_arn
        self.validate_dataset = Target(arn, "VALIDATE_DATASET_STATE_MACHINE_ARN", arn)
        CfnOutput(self, "ValidateDatasetStateMachineArn", value=arn)
