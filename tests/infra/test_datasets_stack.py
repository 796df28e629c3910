"""The state machines that validate datasets and build training files, as they are deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.components.state_machine import render_definition
from infra.stacks.datasets import BUILD_TRAINING_FILE_DEFINITION, VALIDATE_DATASET_DEFINITION
from tests.infra.templates import DATASETS, Templates, text


class Machine(NamedTuple):
    """A machine of one function; `starter` is the function of the API that starts it."""

    name: str
    definition: Path
    task: str
    starter: str
    construct: str
    remedy: str

    @property
    def function(self) -> str:
        return self.name.replace("-", "_")

    @property
    def placeholder(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("-")) + "FunctionArn"


EACH = pytest.mark.parametrize(
    "machine",
    [
        Machine(
            "validate-dataset",
            VALIDATE_DATASET_DEFINITION,
            "Validate",
            "datasets",
            "Validation",
            "confirm the dataset again",
        ),
        Machine(
            "build-training-file",
            BUILD_TRAINING_FILE_DEFINITION,
            "Build",
            "training_files",
            "TrainingFileBuild",
            "add the conversations again",
        ),
    ],
    ids=lambda machine: machine.name,
)


@EACH
def test_the_deployed_text_gets_its_function_and_keeps_no_placeholder(machine: Machine) -> None:
    rendered = render_definition(machine.definition, {machine.placeholder: "arn:one"})
    assert "${" not in rendered
    assert rendered.count("arn:one") == 2


@EACH
@pytest.mark.slow
def test_the_machine_is_standard_logged_traced_and_invokes_its_function(
    templates: Templates, machine: Machine
) -> None:
    machines = templates.of_type("AWS::StepFunctions::StateMachine", DATASETS).values()
    (properties,) = [
        one["Properties"]
        for one in machines
        if one["Properties"]["StateMachineName"] == f"brightrun-{machine.name}"
    ]
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    (function,) = [
        logical_id
        for logical_id, one in templates.of_type("AWS::Lambda::Function", DATASETS).items()
        if one["Properties"]["Description"] == f"Bright Run: {machine.function}"
    ]
    assert f'"{function}.Arn"' in text(properties["DefinitionString"])


@EACH
@pytest.mark.slow
def test_the_machine_waits_longer_for_its_function_than_it_may_run(
    templates: Templates, machine: Machine
) -> None:
    states = json.loads(machine.definition.read_text())["States"]
    assert (
        templates.functions()[machine.function]["Timeout"] < states[machine.task]["TimeoutSeconds"]
    )


@EACH
@pytest.mark.slow
def test_the_api_gets_the_machine_to_start(templates: Templates, machine: Machine) -> None:
    variables = templates.functions()[machine.starter]["Environment"]["Variables"]
    arn = text(variables[f"{machine.function.upper()}_STATE_MACHINE_ARN"])
    assert arn.startswith(f"{DATASETS}:ExportsOutputRef{machine.construct}StateMachine")


@EACH
@pytest.mark.slow
def test_the_alarm_says_what_helps_a_failed_execution(
    templates: Templates, machine: Machine
) -> None:
    alarms = templates.of_type("AWS::CloudWatch::Alarm", DATASETS).values()
    descriptions = [alarm["Properties"]["AlarmDescription"] for alarm in alarms]
    assert sum(machine.remedy in words for words in descriptions) == 2
