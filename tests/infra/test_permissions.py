"""The grants table, and that the deployed roles are exactly it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.permissions import (
    FUNCTION_GRANTS,
    PROVIDER_GRANTS,
    PULL_THE_IMAGE,
    STATE_MACHINE_GRANTS,
    TRAINING_ROLE_GRANTS,
    Grant,
)
from infra.permissions.training_workflow import TRAINING_JOBS
from tests.infra.templates import TRAINING, WORKFLOWS, Templates, allowed, text

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = ROOT / "layers/common/python/brightrun/claude/claude_models.json"
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
}


def expected(grants: tuple[Grant, ...]) -> set[tuple[str, str]]:
    return {(action, grant.resource) for grant in grants for action in grant.actions}


def test_every_function_folder_has_its_grants_and_no_other_has() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.name[0].isalpha()}
    assert folders == set(FUNCTION_GRANTS)


def test_no_grant_names_a_wildcard_action() -> None:
    assert EVERY_GRANT
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


def test_every_grant_says_why() -> None:
    assert all(len(grant.why) >= 10 for grant in EVERY_GRANT)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FUNCTION_GRANTS))
def test_a_functions_role_allows_exactly_its_grants(templates: Templates, name: str) -> None:
    statements = templates.statements(templates.functions()[name]["Role"])
    assert allowed(statements) == expected(FUNCTION_GRANTS[name])


@pytest.mark.slow
def test_a_state_machines_role_allows_exactly_its_grants(templates: Templates) -> None:
    machines = templates.of_type("AWS::StepFunctions::StateMachine").values()
    assert machines
    for machine in machines:
        name = machine["Properties"]["StateMachineName"].removeprefix("brightrun-")
        statements = templates.statements(machine["Properties"]["RoleArn"])
        assert allowed(statements) == expected(STATE_MACHINE_GRANTS[name.replace("-", "_")])


@pytest.mark.slow
def test_a_function_writes_only_its_own_log(templates: Templates) -> None:
    for name, function in templates.functions().items():
        own = function["LoggingConfig"]["LogGroup"]["Ref"]
        logs = {
            text(statement["Resource"])
            for statement in templates.statements(function["Role"])
            if "logs:PutLogEvents" in statement["Action"]
        }
        assert logs == {f"{own}.Arn"}, name


@pytest.mark.slow
def test_there_is_one_role_for_each_function_and_state_machine_and_one_for_sagemaker(
    templates: Templates,
) -> None:
    roles = [text(function["Role"]) for function in templates.functions().values()]
    machines = templates.of_type("AWS::StepFunctions::StateMachine").values()
    roles += [text(machine["Properties"]["RoleArn"]) for machine in machines]
    roles.append(text(templates.by_stack[TRAINING]["Outputs"]["TrainingRoleArn"]["Value"]))
    assert sorted(roles) == sorted(f"{role}.Arn" for role in templates.of_type("AWS::IAM::Role"))


def test_every_model_of_the_registry_may_be_called_on_bedrock() -> None:
    registry = json.loads(REGISTRY.read_text(encoding="utf-8"))["models"]
    granted = {grant.resource for grant in PROVIDER_GRANTS["bedrock"]}
    assert granted == {
        f"{place}{model['bedrock_id'].removeprefix('global.')}"
        for model in registry
        for place in ("BedrockProfiles/global.", "BedrockModels/", "BedrockModelsOfAnyRegion/")
    }


@pytest.mark.slow
@pytest.mark.parametrize("provider", sorted(PROVIDER_GRANTS))
def test_a_provider_is_allowed_to_the_worker_alone_and_only_where_it_is_chosen(
    templates: Templates, provider: str
) -> None:
    policies = templates.of_type("AWS::IAM::Policy", WORKFLOWS).values()
    name = f"claude-through-{provider}"
    (policy,) = [body for body in policies if body["Properties"]["PolicyName"] == name]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert allowed(statements) == expected(PROVIDER_GRANTS[provider])
    role, _ = templates.functions()["process_next"]["Role"]["Fn::GetAtt"]
    assert policy["Properties"]["Roles"] == [{"Ref": role}]
    condition = templates.by_stack[WORKFLOWS]["Conditions"][policy["Condition"]]
    assert condition == {"Fn::Equals": [{"Ref": "ClaudeProvider"}, provider]}


@pytest.mark.slow
def test_nothing_adds_a_policy_beside_the_tables(templates: Templates) -> None:
    assert len(templates.of_type("AWS::IAM::Policy")) == len(PROVIDER_GRANTS)
    assert not templates.of_type("AWS::IAM::ManagedPolicy")
    assert not templates.of_type("AWS::IAM::RolePolicy")
