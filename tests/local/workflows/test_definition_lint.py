"""Definitions that would run differently here than on AWS are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.workflows.definition_lint import problems_in

RESOURCE = "arn:aws:states:::lambda:invoke"
TASK = {"Type": "Task", "Resource": RESOURCE, "Parameters": {"FunctionName": "f"}, "End": True}


def _problems(state: dict[str, Any]) -> list[str]:
    return problems_in(json.dumps({"StartAt": "S", "States": {"S": state}}))


def test_deployed_definition_is_within_the_subset() -> None:
    asl = Path("infra/state_machines/generate_batch.asl.json").read_text()
    assert problems_in(asl) == []


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"Type": "Parallel", "Branches": []}, "Type 'Parallel' is not supported"),
        ({**TASK, "HeartbeatSeconds": 5}, "HeartbeatSeconds is not supported"),
        ({**TASK, "Resource": f"{RESOURCE}.waitForTaskToken"}, "Resource must be"),
        ({**TASK, "Assign": {}}, "Assign is not supported"),
        ({**TASK, "Retry": [{"ErrorEquals": ["E"], "Backoff": 2}]}, "Backoff is not supported"),
        ({**TASK, "Catch": [{"ErrorEquals": ["E"], "Next": "Z"}]}, "no state 'Z'"),
        ({**TASK, "End": False}, "needs either Next or End"),
        ({**TASK, "Parameters": {"x.$": "$.a[*]"}}, "is not a reference path"),
        ({**TASK, "Parameters": {"x.$": "States.UUID()"}}, "States.UUID is not supported"),
        ({"Type": "Wait", "TimestampPath": "$.t", "End": True}, "TimestampPath is not supported"),
        ({"Type": "Wait", "End": True}, "needs either Seconds or SecondsPath"),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericNear": 1, "Next": "S"}]},
            "NumericNear is not supported",
        ),
        (
            {"Type": "Map", "End": True, "MaxConcurrencyPath": "$.n", "ItemProcessor": {}},
            "MaxConcurrencyPath is not supported",
        ),
        (
            {
                "Type": "Map",
                "End": True,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED"},
                    "StartAt": "T",
                    "States": {"T": TASK},
                },
            },
            "only the INLINE processor mode",
        ),
    ],
)
def test_state_outside_the_subset_is_named(state: dict[str, Any], problem: str) -> None:
    found = _problems(state)
    assert any(problem in each for each in found), found
    assert any("'S'" in each for each in found)


def test_machine_in_jsonata_is_refused() -> None:
    machine = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": TASK}}
    assert problems_in(json.dumps(machine)) == ["definition: QueryLanguage is not supported"]


def test_text_that_is_no_json_is_refused() -> None:
    assert problems_in("{")[0].startswith("not JSON")


def test_machine_without_its_first_state_is_refused() -> None:
    problems = problems_in(json.dumps({"StartAt": "Gone", "States": {"S": TASK}}))
    assert problems == ["definition: StartAt names no state: 'Gone'"]
