"""The state machine as deployed, and the rules for its text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.components.state_machine import DefinitionError, render_definition
from infra.stacks.workflows import GENERATE_BATCH_DEFINITION
from tests.infra.templates import WORKFLOWS, Templates, text

VALUES = {"ProcessNextFunctionArn": "arn:one", "FinishBatchFunctionArn": "arn:two"}


def definition(folder: Path, states: str) -> Path:
    path = folder / "example.asl.json"
    path.write_text(f'{{"StartAt": "Stop", "States": {states}}}')
    return path


def test_the_deployed_text_gets_its_functions_and_keeps_no_placeholder() -> None:
    rendered = render_definition(GENERATE_BATCH_DEFINITION, VALUES)
    assert "${" not in rendered
    assert "arn:one" in rendered
    assert "arn:two" in rendered


def test_only_placeholders_change_in_the_text() -> None:
    rendered = json.loads(render_definition(GENERATE_BATCH_DEFINITION, VALUES))
    original = GENERATE_BATCH_DEFINITION.read_text()
    for name, value in VALUES.items():
        original = original.replace(f"${{{name}}}", value)
    assert rendered == json.loads(original)


def test_a_placeholder_without_a_value_is_refused(tmp_path: Path) -> None:
    path = definition(tmp_path, '{"Stop": {"Type": "Pass", "Result": "${Unknown}"}}')
    with pytest.raises(DefinitionError, match=r"example\.asl\.json names .*'Unknown'"):
        render_definition(path, {})


def test_a_value_that_the_text_does_not_use_is_refused(tmp_path: Path) -> None:
    path = definition(tmp_path, '{"Stop": {"Type": "Succeed"}}')
    with pytest.raises(DefinitionError, match="values for .*'FinishBatchFunctionArn'"):
        render_definition(path, VALUES)


def test_a_json_path_is_not_a_placeholder(tmp_path: Path) -> None:
    path = definition(tmp_path, '{"Stop": {"Type": "Wait", "SecondsPath": "$.waitSeconds"}}')
    assert "$.waitSeconds" in render_definition(path, {})


@pytest.mark.slow
def test_the_machine_invokes_the_deployed_functions(templates: Templates) -> None:
    (machine,) = templates.of_type("AWS::StepFunctions::StateMachine", WORKFLOWS).values()
    deployed = text(machine["Properties"]["DefinitionString"])
    functions = templates.of_type("AWS::Lambda::Function", WORKFLOWS)
    assert "${" not in deployed
    assert json.loads(deployed)["States"]
    named = [one for one in functions if f'"{one}.Arn"' in deployed]
    assert sorted(one[:8] for one in named) == ["FinishBa", "ProcessN"]


@pytest.mark.slow
def test_objects_are_swept_once_a_day(templates: Templates) -> None:
    (rule,) = templates.of_type("AWS::Events::Rule", WORKFLOWS).values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 day)"
    (target,) = rule["Properties"]["Targets"]
    assert "SweepObjects" in text(target["Arn"])


@pytest.mark.slow
def test_the_machine_is_standard_logged_and_traced_without_payloads(templates: Templates) -> None:
    (machine,) = templates.of_type("AWS::StepFunctions::StateMachine", WORKFLOWS).values()
    properties = machine["Properties"]
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["StateMachineName"] == "brightrun-generate-batch"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False


@pytest.mark.slow
def test_the_machine_waits_longer_for_a_function_than_it_may_run(templates: Templates) -> None:
    states = json.loads(GENERATE_BATCH_DEFINITION.read_text())["States"]
    worker = states["Workers"]["ItemProcessor"]["States"]["ProcessNext"]
    functions = templates.functions()
    assert functions["process_next"]["Timeout"] < worker["TimeoutSeconds"]
    assert functions["finish_batch"]["Timeout"] < states["FinishBatch"]["TimeoutSeconds"]


@pytest.mark.slow
def test_claude_on_aws_is_not_deployed_without_its_workspace(templates: Templates) -> None:
    rule = templates.by_stack[WORKFLOWS]["Rules"]["WorkspaceForClaudeOnAws"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "ClaudeProvider"}, "aws"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ClaudeWorkspaceId"}, ""]}]}
    assert "ClaudeWorkspaceId" in assertion["AssertDescription"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workspace", "accepted"),
    [("", True), ("wrkspc_01AbCdEf", True), ("*", False), ("wrkspc_*", False), ("wrkspc_", False)],
)
def test_a_workspace_is_one_workspace(templates: Templates, workspace: str, accepted: bool) -> None:
    parameter = templates.by_stack[WORKFLOWS]["Parameters"]["ClaudeWorkspaceId"]
    assert bool(re.fullmatch(parameter["AllowedPattern"], workspace)) is accepted


@pytest.mark.slow
def test_the_key_is_never_in_the_template_and_survives_the_stack(templates: Templates) -> None:
    (secret,) = templates.of_type("AWS::SecretsManager::Secret").values()
    assert not secret["Properties"].keys() & {"SecretString", "GenerateSecretString"}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Retain", "Retain")
