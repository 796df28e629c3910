"""The grants table; test_roles.py holds the deployed roles against what the code calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.permissions import (
    FUNCTION_GRANTS,
    PROVIDER_GRANTS,
    PULL_THE_IMAGE,
    STATE_MACHINE_GRANTS,
    TRAINING_ROLE_GRANTS,
)
from infra.permissions.training_workflow import TRAINING_JOBS
from tests.infra.templates import TRAINING, Templates, text

ROOT = Path(__file__).resolve().parents[2]
TABLES = (FUNCTION_GRANTS, PROVIDER_GRANTS, STATE_MACHINE_GRANTS)
EVERY_GRANT = [
    *(grant for table in TABLES for grants in table.values() for grant in grants),
    *TRAINING_ROLE_GRANTS,
    *PULL_THE_IMAGE,
]
# Services, and actions of others, that know no narrower resource.
ONLY_STAR = {"xray", "logs"}
ACTIONS_WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListTrainingJobs",
    "servicequotas:GetServiceQuota",
}


def test_every_function_folder_has_its_grants_and_no_other_has() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.name[0].isalpha()}
    assert folders == set(FUNCTION_GRANTS)


def test_no_grant_names_a_wildcard_action(
    record_property: Callable[[str, object], None],
) -> None:
    assert EVERY_GRANT
    record_property("samples", len(EVERY_GRANT))
    assert not [action for grant in EVERY_GRANT for action in grant.actions if "*" in action]


def test_a_wildcard_resource_is_object_keys_or_a_service_without_resources() -> None:
    for grant in (grant for grant in EVERY_GRANT if "*" in grant.resource):
        services = {action.partition(":")[0] for action in grant.actions}
        assert (
            services == {"s3"}
            and grant.target.endswith("Bucket")
            or (services <= ONLY_STAR and grant.resource == "*")
            or (set(grant.actions) <= ACTIONS_WITHOUT_RESOURCES and grant.resource == "*")
            or (services == {"sagemaker"} and grant.resource == TRAINING_JOBS)
        )


def test_no_function_may_read_a_whole_table() -> None:
    assert [grant for grant in EVERY_GRANT if "dynamodb:Scan" in grant.actions] == []


def test_every_grant_says_why() -> None:
    assert all(len(grant.why) >= 10 for grant in EVERY_GRANT)


@pytest.mark.slow
def test_there_is_one_role_for_each_function_and_state_machine_and_one_for_sagemaker(
    templates: Templates,
) -> None:
    roles = [text(function["Role"]) for function in templates.functions().values()]
    machines = templates.of_type("AWS::StepFunctions::StateMachine").values()
    roles += [text(machine["Properties"]["RoleArn"]) for machine in machines]
    roles.append(text(templates.by_stack[TRAINING]["Outputs"]["TrainingRoleArn"]["Value"]))
    assert sorted(roles) == sorted(f"{role}.Arn" for role in templates.of_type("AWS::IAM::Role"))


@pytest.mark.slow
def test_nothing_adds_a_policy_beside_the_tables(templates: Templates) -> None:
    assert len(templates.of_type("AWS::IAM::Policy")) == len(PROVIDER_GRANTS)
    assert not templates.of_type("AWS::IAM::ManagedPolicy")
    assert not templates.of_type("AWS::IAM::RolePolicy")
