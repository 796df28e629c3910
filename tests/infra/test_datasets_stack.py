"""The state machine that validates datasets, as it is deployed."""

from __future__ import annotations

import json

import pytest

from infra.components.state_machine import render_definition
from infra.stacks.datasets import VALIDATE_DATASET_DEFINITION
from tests.infra.templates import DATASETS, Templates, text


def test_the_deployed_text_gets_its_function_and_keeps_no_placeholder() -> None:
    rendered = render_definition(
        VALIDATE_DATASET_DEFINITION, {"ValidateDatasetFunctionArn": "arn:one"}
    )
    assert "${" not in rendered
    assert rendered.count("arn:one") == 2


@pytest.mark.slow
def test_the_machine_is_standard_logged_traced_and_invokes_the_validator(
    templates: Templates,
) -> None:
    (machine,) = templates.of_type("AWS::StepFunctions::StateMachine", DATASETS).values()
    properties = machine["Properties"]
    assert properties["StateMachineName"] == "brightrun-validate-dataset"
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    (function,) = templates.of_type("AWS::Lambda::Function", DATASETS)
    assert f'"{function}.Arn"' in text(properties["DefinitionString"])


@pytest.mark.slow
def test_the_machine_waits_longer_for_the_validator_than_it_may_run(templates: Templates) -> None:
    states = json.loads(VALIDATE_DATASET_DEFINITION.read_text())["States"]
    assert (
        templates.functions()["validate_dataset"]["Timeout"] < states["Validate"]["TimeoutSeconds"]
    )


@pytest.mark.slow
def test_the_api_gets_the_machine_to_start(templates: Templates) -> None:
    variables = templates.functions()["datasets"]["Environment"]["Variables"]
    arn = text(variables["VALIDATE_DATASET_STATE_MACHINE_ARN"])
    assert arn.startswith(f"{DATASETS}:ExportsOutputRefValidationStateMachine")


@pytest.mark.slow
def test_the_alarm_says_what_helps_a_failed_validation(templates: Templates) -> None:
    alarms = templates.of_type("AWS::CloudWatch::Alarm", DATASETS).values()
    descriptions = [alarm["Properties"]["AlarmDescription"] for alarm in alarms]
    assert sum("confirm the dataset again" in words for words in descriptions) == 2
