"""The deployed roles allow what the code asks of AWS, and nothing else.

One run through every route and every kind of turn records the requests; the policies of the
templates decide on them as IAM would. A bucket's own policy has its say, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.permissions import FUNCTION_GRANTS
from infra.routes import ROUTES
from tests.handlers.aws_calls import Call
from tests.handlers.every_operation import run_every_operation
from tests.handlers.system_under_test import TRAINING_ROLE, SystemUnderTest, system_under_test
from tests.infra.deployed import ACCOUNT, HERE, REGION, Deployed
from tests.infra.iam import Request, Statement, allows, applies, listed
from tests.infra.templates import Templates

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = ROOT / "layers/common/python/brightrun/claude/claude_models.json"

EACH_FUNCTION = pytest.mark.parametrize("function", sorted(FUNCTION_GRANTS))
# Every client of ours speaks TLS 1.2 or newer.
ENCRYPTED = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
CLAUDE = {"bedrock", "aws-external-anthropic"}
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# "Logging using CloudWatch Logs" and "Tracing with X-Ray" in the Step Functions developer guide.
STATE_MACHINES_OWN = (
    *TRACES,
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
TRAINING_LOGS = f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/TrainingJobs"
IMAGE = f"arn:aws:ecr:{HERE}:repository/cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"
# What SageMaker does in the role of a training job ("SageMaker execution roles"). CloudWatch Logs
# authorises requests about a group with its streams' part empty.
TRAINING_REQUESTS = (
    Call("s3:ListBucket", "arn:aws:s3:::datasets"),
    Call("s3:GetObject", "arn:aws:s3:::datasets/owner/dataset/file.jsonl"),
    Call("s3:ListBucket", "arn:aws:s3:::base-models"),
    Call("s3:GetObject", "arn:aws:s3:::base-models/key/revision/model.safetensors"),
    Call("s3:ListBucket", "arn:aws:s3:::models"),
    Call("s3:GetObject", "arn:aws:s3:::models/jobs/id/checkpoints/checkpoint-1"),
    Call("s3:PutObject", "arn:aws:s3:::models/jobs/id/checkpoints/checkpoint-1"),
    Call("logs:CreateLogGroup", f"{TRAINING_LOGS}:log-stream:"),
    Call("logs:DescribeLogStreams", f"{TRAINING_LOGS}:log-stream:"),
    Call("logs:CreateLogStream", f"{TRAINING_LOGS}:log-stream:brightrun-id/algo-1-1"),
    Call("logs:PutLogEvents", f"{TRAINING_LOGS}:log-stream:brightrun-id/algo-1-1"),
    Call("cloudwatch:PutMetricData", "*"),
    Call("ecr:GetAuthorizationToken", "*"),
    Call("ecr:BatchCheckLayerAvailability", IMAGE),
    Call("ecr:BatchGetImage", IMAGE),
    Call("ecr:GetDownloadUrlForLayer", IMAGE),
)


@pytest.fixture(scope="module")
def system() -> SystemUnderTest:
    """The system after it did everything it can do; what it called is on record."""
    with system_under_test() as system:
        run_every_operation(system)
    return system


@pytest.fixture(scope="module")
def deployed(templates: Templates, system: SystemUnderTest) -> Deployed:
    return Deployed(templates, given=given_by(system), parameters={})


def given_by(system: SystemUnderTest) -> dict[str, str]:
    return {"ClaudeApiKeySecret": system.secret_arn, "TrainingRole": TRAINING_ROLE}


class Role:
    """One role's policies beside those of the buckets."""

    def __init__(self, deployed: Deployed, arn: str) -> None:
        self.statements = list(_one_by_one(deployed.roles()[arn]))
        self._buckets = deployed.bucket_policies()

    def allows(self, call: Call, without: Statement | None = None) -> bool:
        own = [one for one in self.statements if one is not without]
        bucket = self._buckets.get(call.resource.partition("/")[0], [])
        return allows([*own, *bucket], _request(call))

    def needed_for(self, calls: Iterable[Call]) -> list[Statement]:
        """The statements without which a call would be denied."""
        found = []
        for call in calls:
            answering = [one for one in self.statements if applies(one, _request(call))]
            if len(answering) == 1 and answering[0] not in found:
                found += answering
        return found


def _one_by_one(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Each action on each resource as a statement of its own: the CDK puts many into one."""
    for statement in statements:
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield {**statement, "Action": action, "Resource": resource}


def _request(call: Call) -> Request:
    passed = {"iam:PassedToService": call.passed_to} if call.passed_to else {}
    return Request(call.action, call.resource, {**ENCRYPTED, **passed})


def function_of(deployed: Deployed, name: str) -> dict[str, Any]:
    (found,) = [
        one
        for one in deployed.of_type("AWS::Lambda::Function")
        if one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == name
    ]
    return found


def role_of(deployed: Deployed, function: str) -> Role:
    return Role(deployed, str(function_of(deployed, function)["Role"]))


def calls_of(deployed: Deployed, system: SystemUnderTest, function: str) -> set[Call]:
    """What a function asked of AWS, and what Lambda does in its role: it writes its log and its
    traces, and hands over the events that failed.
    """
    made: dict[str, Any] = function_of(deployed, function)
    group = made["LoggingConfig"]["LogGroup"]
    stream = f"arn:aws:logs:{HERE}:log-group:{group}:log-stream:2026/11/30/[$LATEST]0"
    written = {Call(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")}
    if "DeadLetterConfig" in made:
        written.add(Call("sqs:SendMessage", made["DeadLetterConfig"]["TargetArn"]))
    return system.calls.by_function[function] | written | {Call(one, "*") for one in TRACES}


def test_every_route_was_used(system: SystemUnderTest) -> None:
    assert system.routes == {route for routes in ROUTES.values() for route in routes}


@EACH_FUNCTION
def test_a_function_is_allowed_whatever_it_asks(
    deployed: Deployed, system: SystemUnderTest, function: str
) -> None:
    role = role_of(deployed, function)
    assert {call for call in calls_of(deployed, system, function) if not role.allows(call)} == set()


@EACH_FUNCTION
def test_no_permission_can_be_taken_away(
    deployed: Deployed, system: SystemUnderTest, function: str
) -> None:
    role = role_of(deployed, function)
    needed = role.needed_for(calls_of(deployed, system, function))
    assert [one for one in role.statements if one not in needed] == []


@EACH_FUNCTION
def test_a_missing_and_a_needless_permission_are_found(
    deployed: Deployed, system: SystemUnderTest, function: str
) -> None:
    role, calls = role_of(deployed, function), calls_of(deployed, system, function)
    for statement in role.statements:
        assert any(not role.allows(call, without=statement) for call in calls), statement
    needless = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::batch-logs/*/log.txt",
    }
    role.statements.append(needless)
    assert needless not in role.needed_for(calls)


def test_no_bucket_is_read_without_encryption(deployed: Deployed) -> None:
    role = role_of(deployed, "conversations")
    bucket, file = "arn:aws:s3:::conversation-files", "arn:aws:s3:::conversation-files/a"
    statements = [*role.statements, *deployed.bucket_policies()[bucket]]
    assert allows(statements, Request("s3:GetObject", file, ENCRYPTED))
    for weaker in ({"aws:SecureTransport": "false"}, {"s3:TlsVersion": "1.1"}):
        assert not allows(statements, Request("s3:GetObject", file, {**ENCRYPTED, **weaker}))


def test_a_role_is_passed_to_sagemaker_alone(deployed: Deployed) -> None:
    role = role_of(deployed, "start_training")
    assert role.allows(Call("iam:PassRole", TRAINING_ROLE, "sagemaker.amazonaws.com"))
    assert not role.allows(Call("iam:PassRole", TRAINING_ROLE, "lambda.amazonaws.com"))
    assert not role.allows(
        Call("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/other", "sagemaker.amazonaws.com")
    )


def test_a_state_machine_may_invoke_its_functions_be_logged_and_traced(deployed: Deployed) -> None:
    machines = deployed.of_type("AWS::StepFunctions::StateMachine")
    assert len(machines) == 4
    for machine in machines:
        role = Role(deployed, machine["RoleArn"])
        text = json.loads(machine["DefinitionString"])
        calls = {Call("lambda:InvokeFunction", arn) for arn in _invoked(text)}
        calls |= {Call(action, "*") for action in STATE_MACHINES_OWN}
        assert all(map(role.allows, calls))
        assert len(role.needed_for(calls)) == len(role.statements)


def _invoked(state: object) -> Iterator[str]:
    """The functions that a definition names, wherever in it."""
    if isinstance(state, dict):
        for value in state.values():
            yield from _invoked(value)
    elif isinstance(state, list):
        for value in state:
            yield from _invoked(value)
    elif isinstance(state, str) and state.startswith(f"arn:aws:lambda:{HERE}:function:"):
        yield state


def test_sagemaker_may_do_what_a_training_job_takes(deployed: Deployed) -> None:
    role = Role(deployed, TRAINING_ROLE)
    assert [call for call in TRAINING_REQUESTS if not role.allows(call)] == []
    assert [one for one in role.statements if one not in role.needed_for(TRAINING_REQUESTS)] == []


@pytest.mark.parametrize(
    "call",
    [
        Call("s3:PutObject", "arn:aws:s3:::datasets/owner/dataset/file.jsonl"),
        Call("s3:GetObject", "arn:aws:s3:::models/owner/model/adapter.safetensors"),
        Call("s3:DeleteObject", "arn:aws:s3:::models/jobs/id/checkpoints/checkpoint-1"),
        Call("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/other:log-stream:s"),
        Call("dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/TrainingJobsTable"),
    ],
)
def test_sagemaker_may_do_nothing_else(deployed: Deployed, call: Call) -> None:
    assert not Role(deployed, TRAINING_ROLE).allows(call)


def taken_by(service: str, source: str, account: str = ACCOUNT) -> Request:
    context = {"aws:SourceAccount": account, "aws:SourceArn": source}
    return Request("sts:AssumeRole", "*", {**context, "service": service})


def trusts(statements: Iterable[Statement], request: Request) -> bool:
    (statement,) = statements
    assert statement["Principal"] == {"Service": request.context["service"]}
    return allows([{**statement, "Resource": "*"}], request)


def test_a_state_machines_role_is_taken_for_it_alone(deployed: Deployed) -> None:
    for machine in deployed.of_type("AWS::StepFunctions::StateMachine"):
        trust = deployed.trust()[machine["RoleArn"]]
        own = f"arn:aws:states:{HERE}:stateMachine:{machine['StateMachineName']}"
        foreign = own.replace(ACCOUNT, "999999999999")
        assert trusts(trust, taken_by("states.amazonaws.com", own))
        assert not trusts(trust, taken_by("states.amazonaws.com", f"{own}-of-others"))
        assert not trusts(trust, taken_by("states.amazonaws.com", foreign, "999999999999"))


def test_the_training_role_is_taken_for_our_training_jobs_alone(deployed: Deployed) -> None:
    trust = deployed.trust()[TRAINING_ROLE]
    jobs = f"arn:aws:sagemaker:{HERE}:training-job"
    assert trusts(trust, taken_by("sagemaker.amazonaws.com", f"{jobs}/brightrun-id"))
    assert not trusts(trust, taken_by("sagemaker.amazonaws.com", f"{jobs}/other"))
    foreign = f"{jobs}/brightrun-id".replace(ACCOUNT, "999999999999")
    assert not trusts(trust, taken_by("sagemaker.amazonaws.com", foreign, "999999999999"))


def test_a_functions_role_is_taken_by_lambda_which_says_for_no_function(
    deployed: Deployed,
) -> None:
    """Lambda takes an execution role without a source (infra/components/service_role.py)."""
    for name in FUNCTION_GRANTS:
        trust = deployed.trust()[str(function_of(deployed, name)["Role"])]
        assert trusts(trust, Request("sts:AssumeRole", "*", {"service": "lambda.amazonaws.com"}))


def inferences() -> dict[str, set[Call]]:
    """What a call of Claude is authorised for, by provider: for each model of the registry, on
    Bedrock, its global profile, the model here, and the model wherever the profile finds room.
    """
    models = [one["bedrock_id"] for one in json.loads(REGISTRY.read_text("utf-8"))["models"]]
    invoked = [
        arn
        for model in (one.removeprefix("global.") for one in models)
        for arn in (
            f"arn:aws:bedrock:{HERE}:inference-profile/global.{model}",
            f"arn:aws:bedrock:{REGION}::foundation-model/{model}",
            f"arn:aws:bedrock:::foundation-model/{model}",
        )
    ]
    workspace = f"arn:aws:aws-external-anthropic:{HERE}:workspace/wrkspc_1"
    return {
        "direct": set(),
        "aws": {
            Call(f"aws-external-anthropic:{action}", workspace)
            for action in (
                "CreateInference",
                "CreateBatchInference",
                "GetBatchInference",
                "ListBatchInferences",
                "CancelBatchInference",
            )
        },
        "bedrock": {Call("bedrock:InvokeModel", arn) for arn in invoked},
    }


@pytest.mark.parametrize("provider", ["direct", "aws", "bedrock"])
def test_a_provider_of_claude_is_open_to_the_worker_only_where_it_is_chosen(
    templates: Templates, system: SystemUnderTest, provider: str
) -> None:
    chosen = {"ClaudeProvider": provider, "ClaudeWorkspaceId": "wrkspc_1"}
    deployed = Deployed(templates, given=given_by(system), parameters=chosen)
    calls = inferences()[provider]
    for function in FUNCTION_GRANTS:
        role = role_of(deployed, function)
        opened = [one for one in role.statements if one["Action"].partition(":")[0] in CLAUDE]
        if function == "process_next":
            assert all(map(role.allows, calls))
            assert len(opened) == len(role.needed_for(calls)) == len(calls)
        else:
            assert opened == []
