"""Training: the state machine, its functions, what watches over them, and SageMaker's role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components.alarm import alarm, business_metric
from infra.components.dead_letters import dead_letters
from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.state_machine import LoggedStateMachine, state_machine_arn
from infra.components.target import Target, training_jobs_target
from infra.components.training_image import TrainingImage, training_image
from infra.components.training_parameters import training_environment
from infra.components.training_role import TrainingRole
from infra.settings import StageSettings
from infra.stacks.data import DataStack

TRAIN_ADAPTER = "brightrun-train-adapter"
TRAIN_ADAPTER_DEFINITION = (
    Path(__file__).resolve().parents[1] / "state_machines" / "train_adapter.asl.json"
)
SWEEP_MINUTES = 15  # how long an orphan may bill before it is found, and what a sweep may cost

# Renders up to 100 MB of a dataset: 32 processor seconds and 800 MB for the product's pairs on an
# x86-64 core; scripts that a tokenizer takes byte by byte need some times both.
START = FunctionSpec(name="start_training", timeout_s=600, memory_mb=3008)
WATCH = FunctionSpec(name="watch_training", timeout_s=60)
# A whole vCPU: one core here unpacks and hashes 400 MB a second, and does it twice; the largest
# adapter has 6.6 GB. Its time on a Lambda function is not measured.
FINISH = FunctionSpec(name="finish_training", timeout_s=900, memory_mb=1769)
EVENTS = FunctionSpec(name="training_events", timeout_s=300)


class TrainingStack(Stack):
    """State machine TrainAdapter; `targets` tells others how to start it and stop its jobs."""

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
        image = training_image(self, settings.training_image, settings.training_cuda)
        role = TrainingRole(self, "TrainingRole", targets=data.targets, image=image).role
        arn = state_machine_arn(self, settings, TRAIN_ADAPTER)
        self._own_targets = {
            **data.targets,
            "TrainAdapterStateMachine": _machine_target(arn),
            "TrainAdapterExecutions": Target(f"{_executions_arn(self, settings)}:*"),
            "TrainingJobs": training_jobs_target(self),
            "TrainingRole": Target(role.role_arn, "TRAINING_ROLE_ARN", role.role_arn),
        }
        failures, self._own_targets["DeadLetters"] = dead_letters(self)
        machine = self._state_machine(image, data.targets["ModelsBucket"].value)
        self._watch_over(self._function(EVENTS, {}, failures), failures)
        self._raise_alarms(settings.stage)
        arn = machine.state_machine.state_machine_arn
        self.targets: Mapping[str, Target] = {
            "TrainAdapterStateMachine": _machine_target(arn),
            "TrainingJobs": self._own_targets["TrainingJobs"],
        }
        CfnOutput(self, "TrainAdapterStateMachineArn", value=arn)
        CfnOutput(self, "TrainingRoleArn", value=role.role_arn)
        CfnOutput(self, "LogRetentionDays", value=str(settings.log_retention_days))

    def _state_machine(self, image: TrainingImage, models_bucket: str) -> LoggedStateMachine:
        times = training_environment(self)
        start = self._function(
            START,
            {
                "MODELS_BUCKET": models_bucket,
                "TRAINING_IMAGE": image.uri,
                "CAPACITY_RETRY_SECONDS": times["CAPACITY_RETRY_SECONDS"],
            },
        )
        watch = self._function(WATCH, times)
        finish = self._function(FINISH, {"WATCH_SECONDS": times["WATCH_SECONDS"]})
        return LoggedStateMachine(
            self,
            "TrainAdapter",
            name=TRAIN_ADAPTER,
            grants="train_adapter",
            definition=TRAIN_ADAPTER_DEFINITION,
            function_arns={
                "StartTrainingFunction": start.function_arn,
                "WatchTrainingFunction": watch.function_arn,
                "FinishTrainingFunction": finish.function_arn,
            },
            settings=self._settings,
            remedy="the sweep goes on with the job within 15 minutes; see why it failed",
            runbook="stuck_training",
        )

    def _function(
        self,
        spec: FunctionSpec,
        environment: Mapping[str, str],
        failures: sqs.IQueue | None = None,
    ) -> lambda_.Function:
        made = ServiceFunction(
            self,
            spec,
            settings=self._settings,
            layers=self._layers,
            targets=self._own_targets,
            environment=environment,
            failures=failures,
        )
        made.alarm_on_errors(remedy="it is tried again", runbook="stuck_training")
        return made.function

    def _raise_alarms(self, stage: str) -> None:
        for construct_id, function, metric, description in (
            ("FailedJobAlarm", "finish_training", "TrainingJobsFailed", "A training job failed"),
            (
                "OrphanAlarm",
                "training_events",
                "OrphansStopped",
                "A training job ran in SageMaker that nobody waited for; it was stopped",
            ),
        ):
            alarm(
                self,
                construct_id,
                metric=business_metric(stage, function, metric),
                description=description,
                runbook="stuck_training",
            )

    def _watch_over(self, function: lambda_.Function, failures: sqs.IQueue) -> None:
        """Let EventBridge call at each change of a training job's status, and from time to time."""
        call = events_targets.LambdaFunction(function, retry_attempts=2, dead_letter_queue=failures)
        events.Rule(
            self,
            "TrainingJobChanged",
            description="A training job of Bright Run has changed its status",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Training Job State Change"],
                detail={"TrainingJobName": [{"prefix": "brightrun-"}]},
            ),
            targets=[call],
        )
        events.Rule(
            self,
            "Sweep",
            description="Find training jobs that nobody waits for, and jobs that nobody trains",
            schedule=events.Schedule.rate(Duration.minutes(SWEEP_MINUTES)),
            targets=[call],
        )


def _machine_target(arn: str) -> Target:
    return Target(arn, "TRAIN_ADAPTER_STATE_MACHINE_ARN", arn)


def _executions_arn(stack: Stack, settings: StageSettings) -> str:
    return stack.format_arn(
        service="states",
        resource="execution",
        resource_name=settings.named(TRAIN_ADAPTER),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
