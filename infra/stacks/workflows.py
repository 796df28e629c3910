"""The batch workflow: its state machine, the functions it runs, and the key to Claude."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components.alarm import alarm, business_metric
from infra.components.claude_access import grant_claude_access
from infra.components.claude_parameters import claude_environment
from infra.components.dead_letters import dead_letters
from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.state_machine import LoggedStateMachine, state_machine_arn
from infra.components.target import Target
from infra.settings import StageSettings
from infra.stacks.data import DataStack

GENERATE_BATCH = "brightrun-generate-batch"
GENERATE_BATCH_DEFINITION = (
    Path(__file__).resolve().parents[1] / "state_machines" / "generate_batch.asl.json"
)

# It waits for Claude nearly all of its time, so memory is most of its price (docs/cost.md); with 25
# calls in flight it was measured to hold 124 MB.
PROCESS_NEXT = FunctionSpec(name="process_next", timeout_s=900, memory_mb=256)
MOST_FAILING_PERCENT = 50
MOST_ROUNDS = 8  # a batch of many thousands takes two or three, an hour's throttling some more
FINISH_BATCH = FunctionSpec(name="finish_batch", timeout_s=300)
SWEEP_OBJECTS = FunctionSpec(name="sweep_objects", timeout_s=900)


class WorkflowsStack(Stack):
    """State machine GenerateBatch and its two functions, and the sweep of what they may leave.

    `generate_batch` tells how to start the machine.
    """

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
        secret = self._claude_api_key_secret()
        targets = {
            **data.targets,
            "ClaudeApiKeySecret": Target(
                secret.attr_id, "CLAUDE_API_KEY_SECRET_ARN", secret.attr_id
            ),
            "GenerateBatchStateMachine": start_target(
                state_machine_arn(self, settings, GENERATE_BATCH)
            ),
        }
        self._failures, targets["DeadLetters"] = dead_letters(self)
        process_next = self._claude_worker(targets)
        finish_batch = self._worker(FINISH_BATCH, targets, {})
        self._sweep_daily(self._worker(SWEEP_OBJECTS, targets, {}, self._failures))
        machine = self._state_machine(process_next, finish_batch)
        arn = machine.state_machine.state_machine_arn
        self.generate_batch = start_target(arn)
        self._watch_over_batches(settings.stage)
        CfnOutput(self, "GenerateBatchStateMachineArn", value=arn)
        CfnOutput(self, "ClaudeApiKeySecretArn", value=secret.attr_id)

    def _claude_worker(self, targets: dict[str, Target]) -> ServiceFunction:
        claude = claude_environment(self)
        concurrency = self._settings.worker_concurrency or None
        worker = dataclasses.replace(PROCESS_NEXT, concurrency=concurrency)
        process_next = self._worker(worker, targets, claude)
        grant_claude_access(
            process_next,
            process_next.role,
            provider=claude["CLAUDE_PROVIDER"],
            workspace_id=claude["CLAUDE_WORKSPACE_ID"],
        )
        return process_next

    def _state_machine(
        self, process_next: ServiceFunction, finish_batch: ServiceFunction
    ) -> LoggedStateMachine:
        return LoggedStateMachine(
            self,
            "GenerateBatch",
            name=GENERATE_BATCH,
            grants="generate_batch",
            definition=GENERATE_BATCH_DEFINITION,
            function_arns={
                "ProcessNextFunction": process_next.function.function_arn,
                "FinishBatchFunction": finish_batch.function.function_arn,
            },
            settings=self._settings,
            remedy="start the batch again with retry-failed, or resume it",
            runbook="stuck_batch",
        )

    def _worker(
        self,
        spec: FunctionSpec,
        targets: dict[str, Target],
        environment: dict[str, str],
        failures: sqs.IQueue | None = None,
    ) -> ServiceFunction:
        worker = ServiceFunction(
            self,
            spec,
            settings=self._settings,
            layers=self._layers,
            targets=targets,
            environment=environment,
            failures=failures,
        )
        worker.alarm_on_errors(remedy="it is tried again", runbook="stuck_batch")
        return worker

    def _watch_over_batches(self, stage: str) -> None:
        alarm(
            self,
            "ClaudeOutageAlarm",
            metric=business_metric(stage, "process_next", "ClaudeFailing", statistic="Average"),
            threshold=MOST_FAILING_PERCENT,
            periods=3,
            description="For a quarter of an hour, Claude has failed or refused half of the calls",
            runbook="claude_outage",
        )
        alarm(
            self,
            "StuckBatchAlarm",
            metric=business_metric(stage, "finish_batch", "UnfinishedRounds", statistic="Maximum"),
            threshold=MOST_ROUNDS,
            description="A batch goes round after round and does not end",
            runbook="stuck_batch",
        )

    def _sweep_daily(self, sweeper: ServiceFunction) -> None:
        events.Rule(
            self,
            "ObjectSweep",
            description="Remove the objects that no row points to",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[
                events_targets.LambdaFunction(
                    sweeper.function, retry_attempts=2, dead_letter_queue=self._failures
                )
            ],
        )

    def _claude_api_key_secret(self) -> secretsmanager.CfnSecret:
        """An empty secret: the operator puts the key in, and no made-up key is ever sent."""
        secret = secretsmanager.CfnSecret(
            self,
            "ClaudeApiKeySecret",
            description="The Claude API key as a plain string, for ClaudeProvider=direct",
        )
        secret.apply_removal_policy(RemovalPolicy.RETAIN)
        return secret


def start_target(arn: str) -> Target:
    """The state machine that a function starts, for its role and its environment."""
    return Target(arn, "GENERATE_BATCH_STATE_MACHINE_ARN", arn)
