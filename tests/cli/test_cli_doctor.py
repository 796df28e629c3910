"""doctor: what it finds in a local system, in an AWS deployment, and of Claude."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cli.config import Profile
from cli.diagnosis.api import compare_clocks
from cli.diagnosis.aws import check_aws, check_deployment
from cli.diagnosis.claude import ask_claude, check_model
from cli.diagnosis.deployment import Deployment, find_deployment
from cli.diagnosis.finding import Finding
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import Answer, FakeSystem

REGION = "eu-west-1"
API_URL = "https://api.example.invalid"
PROFILE = Profile("prod", API_URL, REGION, "client")
STATUS = {"state": "ready", "data_dir": "/data", "generator": "simulated", "disk": "has room"}


def by_check(findings: Any) -> dict[str, Finding]:
    return {one.check: one for one in findings}


@pytest.fixture
def local_status(system: FakeSystem) -> dict[str, Any]:
    status = dict(STATUS)
    system.route("GET", "/_local/status", lambda *_: status)
    system.route("GET", "/api/base-models", lambda *_: {"data": {}})
    return status


def test_a_local_system_that_works_has_no_problem(
    signed_in: None, local_status: dict[str, Any], brightrun: BrightRun
) -> None:
    result = brightrun("doctor", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["problems"]) == (0, 0)
    checks = {one["check"]: one["state"] for one in report["findings"]}
    assert checks == dict.fromkeys(
        ("API", "clock", "session", "local system", "Claude", "disk"), "ok"
    )


def test_a_full_disk_is_a_problem_with_its_remedy(
    signed_in: None, local_status: dict[str, Any], brightrun: BrightRun
) -> None:
    local_status["disk"] = "The disk of /data is full: 0.2 MB are free."
    result = brightrun("doctor")
    assert result.exit_code == 1
    assert "0.2 MB are free" in result.stdout
    assert "Free some space" in result.stdout


def test_the_engines_notice_of_a_retirement_is_passed_on(
    signed_in: None, local_status: dict[str, Any], brightrun: BrightRun
) -> None:
    local_status["notice"] = "claude-x retires on 2027-01-22, in 53 days."
    result = brightrun("doctor")
    assert result.exit_code == 0
    assert "warning model: claude-x retires on 2027-01-22" in result.stdout


@pytest.mark.parametrize(
    ("date", "state", "words"),
    [
        ("Mon, 30 Nov 2026 12:00:59 GMT", "ok", "agrees"),
        ("Mon, 30 Nov 2026 11:00:00 GMT", "problem", "3,600 s ahead of"),
        ("Mon, 30 Nov 2026 13:00:00 GMT", "problem", "3,600 s behind"),
        ("", "unknown", "names no time"),
        ("noon", "unknown", "names no time"),
    ],
)
def test_this_machines_clock_is_compared_with_the_apis(date: str, state: str, words: str) -> None:
    found = compare_clocks(date, datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert (found.state, words in found.message) == (state, True)


def test_a_system_that_is_down_is_told_with_how_to_start_it(brightrun: BrightRun) -> None:
    nowhere = "http://127.0.0.1:9"
    brightrun("configure", "--api-url", nowhere, "--region", REGION, "--client-id", "client")
    result = brightrun("doctor")
    assert result.exit_code == 1
    assert "does not answer" in result.stdout
    assert "make up" in result.stdout


class DeploymentWithQuotas(Deployment):
    """A deployment whose account may rent what the test says; moto knows no quotas."""

    def client(self, service: str) -> Any:
        client = super().client(service)
        if service == "service-quotas":
            stub = Stubber(client)
            rows = [{"QuotaName": name, "Value": count} for name, count in QUOTAS.items()]
            stub.add_response("list_service_quotas", {"Quotas": rows}, {"ServiceCode": "sagemaker"})
            stub.activate()
        return client


QUOTAS = {"ml.p4d.24xlarge for training job usage": 0.0, "Total domains": 5.0}


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """A deployment that lacks what a first one may lack."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        where: Any = {"LocationConstraint": REGION}
        boto3.client("s3", REGION).create_bucket(Bucket="datasets", CreateBucketConfiguration=where)
        boto3.client("secretsmanager", REGION).create_secret(Name="key", SecretString=" ")
        _alarm(actions=[])
        yield DeploymentWithQuotas(
            boto3.Session(region_name=REGION),
            parameters={"ClaudeModel": "claude-sonnet-5-5", "ClaudeProvider": "direct"},
            resources={
                "AWS::S3::Bucket": [("DatasetsBucket1", "datasets")],
                "AWS::SecretsManager::Secret": [("ClaudeApiKeySecret1", "key")],
                "AWS::CloudWatch::Alarm": [("ErrorAlarm1", "errors")],
            },
        )


def _alarm(actions: list[str]) -> None:
    boto3.client("cloudwatch", REGION).put_metric_alarm(
        AlarmName="errors",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Period=60,
        Statistic="Sum",
        Threshold=0,
        AlarmActions=actions,
    )


def test_without_aws_credentials_the_deployment_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    [found] = check_aws(PROFILE)
    assert (found.check, found.state) == ("AWS identity", "unknown")
    assert "credentials" in found.remedy


def stack(name: str, stage: str, **more: Any) -> dict[str, Any]:
    tags = [{"Key": "application", "Value": "brightrun"}, {"Key": "stage", "Value": stage}]
    made = datetime(2026, 11, 30, tzinfo=UTC)
    return {
        "StackName": name,
        "CreationTime": made,
        "StackStatus": "CREATE_COMPLETE",
        "Tags": tags,
        **more,
    }


class StubbedSession:
    """A boto3 session whose CloudFormation knows two stages in one account."""

    def __init__(self) -> None:
        self._client = boto3.client(
            "cloudformation", REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        self._stub = Stubber(self._client)
        output = {"OutputKey": "ApiUrl", "OutputValue": f"{API_URL}/"}
        model = {"ParameterKey": "ClaudeModel", "ParameterValue": "claude-opus-5-5"}
        stacks = [
            stack("DevData", "dev"),
            stack("ProdApi", "prod", Outputs=[output], Parameters=[model]),
            stack("ProdData", "prod"),
        ]
        self._stub.add_response("describe_stacks", {"Stacks": stacks}, {})
        self._stub.activate()

    def list_resources(self, *names: str) -> None:
        for name in names:
            bucket = {
                "LogicalResourceId": "DatasetsBucket",
                "PhysicalResourceId": f"{name}-datasets",
                "ResourceType": "AWS::S3::Bucket",
                "LastUpdatedTimestamp": datetime(2026, 11, 30, tzinfo=UTC),
                "ResourceStatus": "CREATE_COMPLETE",
            }
            answer = {"StackResourceSummaries": [bucket]}
            self._stub.add_response("list_stack_resources", answer, {"StackName": name})

    def client(self, service: str) -> Any:
        assert service == "cloudformation"
        return self._client


def test_the_stacks_of_the_profiles_stage_are_found_by_the_apis_address() -> None:
    session: Any = StubbedSession()
    session.list_resources("ProdApi", "ProdData")
    found = find_deployment(session, PROFILE)
    assert found is not None
    assert found.ids("AWS::S3::Bucket", "Datasets") == ["ProdApi-datasets", "ProdData-datasets"]
    assert found.parameters == {"ClaudeModel": "claude-opus-5-5"}


def test_another_account_has_no_stack_of_the_profile() -> None:
    session: Any = StubbedSession()
    assert find_deployment(session, Profile("other", "https://o.invalid", REGION, "c")) is None


def test_what_a_first_deployment_lacks_is_named_with_its_remedy(deployment: Deployment) -> None:
    found = by_check(check_deployment(deployment))
    assert found["Claude"].state == "problem"
    assert "put-secret-value" in found["Claude"].remedy
    assert found["training log"].state == "problem"
    assert found["bucket CORS"].state == "problem"
    assert found["alarms"].message == "1 of 1 alarms tell nobody."
    assert found["training image"].state == "unknown"
    assert found["budgets"].state == "warning"
    assert found["training quota"].state == "problem"
    assert "'ml.g6.2xlarge for training job usage'" in found["training quota"].remedy


def test_what_was_mended_is_found_mended(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(QUOTAS, "ml.p4d.24xlarge for training job usage", 2.0)
    s3 = boto3.client("s3", REGION)
    rule: Any = {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://console.invalid"]}
    s3.put_bucket_cors(Bucket="datasets", CORSConfiguration={"CORSRules": [rule]})
    logs = boto3.client("logs", REGION)
    logs.create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    logs.put_retention_policy(logGroupName="/aws/sagemaker/TrainingJobs", retentionInDays=90)
    topic = boto3.client("sns", REGION).create_topic(Name="alarms")["TopicArn"]
    boto3.client("sns", REGION).subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.invalid"
    )
    _alarm([topic])
    deployment.parameters["OwnerBudgetUsd"] = "50"
    deployment.parameters["DeploymentBudgetUsd"] = "1500"
    found = by_check(check_deployment(deployment))
    assert found["training quota"].message.endswith("ml.p4d.24xlarge (2).")
    assert found["bucket CORS"].state == "ok"
    assert found["training log"].state == "ok"
    assert found["alarms"].message == "1 alarms reach 1 subscribers."
    assert (
        found["budgets"].message == "The most for a month: a user $50.00, the deployment $1,500.00."
    )


def asked(system: FakeSystem, name: str, answer: Answer) -> dict[str, Finding]:
    system.route("GET", "/v1/models/.*", lambda *_: answer)
    return by_check(ask_claude("sk-test", system.url, name))


def test_claude_is_asked_for_the_model_and_its_retirement(system: FakeSystem) -> None:
    described = {"lifecycle": "deprecated", "retires_at": "2026-12-24T00:00:00Z"}
    found = asked(system, "claude-sonnet-5-5", Answer(body=json.dumps(described).encode()))
    assert found["Claude"].state == "ok"
    assert found["model"].state == "warning"
    assert "retires on 2026-12-24" in found["model"].message
    [request] = system.requests
    assert (request.path, request.headers["x-api-key"]) == (
        "/v1/models/claude-sonnet-5-5",
        "sk-test",
    )


@pytest.mark.parametrize(
    ("answer", "check", "state", "words"),
    [
        (Answer(401), "Claude", "problem", "does not accept the key"),
        (Answer(404), "model", "problem", "no model claude-sonnet-5-5"),
        (Answer(529), "model", "ok", "no retirement"),
        (Answer(body=b"<html>"), "Claude", "unknown", "answered 200"),
        (Answer(body=b'{"lifecycle": "retired"}'), "model", "problem", "is retired"),
    ],
)
def test_claudes_answer_is_told_in_words(
    system: FakeSystem, answer: Answer, check: str, state: str, words: str
) -> None:
    found = asked(system, "claude-sonnet-5-5", answer)[check]
    assert (found.state, words in found.message) == (state, True)
    assert "sk-test" not in repr(found)


def test_an_unreachable_claude_leaves_the_registrys_own_date() -> None:
    found = by_check(ask_claude("sk-test", "http://127.0.0.1:9", "claude-sonnet-5-5"))
    assert (found["Claude"].state, found["model"].state) == ("unknown", "ok")


def test_a_model_is_warned_of_sixty_days_before_with_its_successor_and_price() -> None:
    assert check_model("claude-opus-4-5", date(2026, 11, 22)).state == "ok"
    soon = check_model("claude-opus-4-5", date(2026, 11, 23))
    assert soon.state == "warning"
    assert "in 60 days" in soon.message
    assert "claude-opus-5-5, at $4 a million tokens read" in soon.message
    assert check_model("claude-opus-4-5", date(2027, 1, 22)).state == "problem"
