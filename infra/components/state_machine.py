"""A state machine here: text from a file, every event logged, traced, an alarm on failure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.components.alarm import alarm
from infra.components.log_group import log_group
from infra.components.service_role import service_role
from infra.permissions import STATE_MACHINE_GRANTS
from infra.settings import StageSettings

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class DefinitionError(ValueError):
    """A state machine's text and the values for its placeholders do not fit together."""


def render_definition(definition: Path, values: Mapping[str, str]) -> str:
    """Return the state machine's JSON text, compact, with every `${Name}` replaced by its value.

    Raises DefinitionError for a placeholder without a value and for a value without a placeholder,
    json.JSONDecodeError for text that is not JSON.
    """
    text = json.dumps(json.loads(definition.read_text(encoding="utf-8")), separators=(",", ":"))
    named = set(PLACEHOLDER.findall(text))
    if named != values.keys():
        message = (
            f"{definition.name} names the placeholders {sorted(named)}, "
            f"but there are values for {sorted(values)}: make them equal"
        )
        raise DefinitionError(message)
    return PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def state_machine_arn(stack: Stack, settings: StageSettings, name: str) -> str:
    """The ARN that a LoggedStateMachine of this name has.

    For a function that starts the very machine which invokes it: a reference to the machine itself
    would be a circle.
    """
    return stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name=settings.named(name),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


class LoggedStateMachine(Construct):
    """A Standard state machine whose role allows what STATE_MACHINE_GRANTS says under `grants`.

    `name` is made the stage's own. Its alarms say by `remedy` and `runbook` what helps when an
    execution failed or timed out.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        grants: str,
        definition: Path,
        function_arns: Mapping[str, str],
        settings: StageSettings,
        remedy: str,
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        values = {f"{function}Arn": arn for function, arn in function_arns.items()}
        self.state_machine = stepfunctions.StateMachine(
            self,
            "StateMachine",
            state_machine_name=settings.named(name),
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            definition_body=stepfunctions.DefinitionBody.from_string(
                render_definition(definition, values)
            ),
            role=service_role(
                self,
                service="states.amazonaws.com",
                grants=STATE_MACHINE_GRANTS[grants],
                arns=function_arns,
                taken_for=state_machine_arn(Stack.of(self), settings, name),
            ),
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=log_group(self, settings),
                level=stepfunctions.LogLevel.ALL,
                # The events without their payloads: no prompt can reach a log this way.
                include_execution_data=False,
            ),
        )
        for alarm_id, how, metric in (
            ("FailedAlarm", "failed", self.state_machine.metric_failed()),
            ("TimedOutAlarm", "timed out", self.state_machine.metric_timed_out()),
        ):
            alarm(
                self,
                alarm_id,
                metric=metric,
                description=f"An execution of {settings.named(name)} {how}: {remedy}",
                runbook=runbook,
            )
