"""The app as a whole: outputs, parameters, tags, logs, alarms, and synthesis as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.templates import (
    API,
    CONSOLE,
    DATA,
    DATASETS,
    STACKS,
    TRAINING,
    WORKFLOWS,
    Templates,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE_LIMIT_BYTES = 1_000_000  # CloudFormation's, for a template in a bucket
OUTPUTS = {
    CONSOLE: {"ConsoleUrl", "PagesBucketName", "DistributionId"},
    DATA: {
        "OwnUserPoolId",
        "GivenUserPoolId",
        "ConversationFilesBucketName",
        "TrainingFilesBucketName",
        "DatasetsBucketName",
        "BaseModelsBucketName",
        "ModelsBucketName",
        "BatchLogsBucketName",
        "FailedGenerationFilesBucketName",
        "AlarmTopicArn",
    },
    WORKFLOWS: {"GenerateBatchStateMachineArn", "ClaudeApiKeySecretArn"},
    DATASETS: {"ValidateDatasetStateMachineArn", "BuildTrainingFileStateMachineArn"},
    TRAINING: {"TrainAdapterStateMachineArn", "TrainingRoleArn", "LogRetentionDays"},
    API: {
        "ApiUrl",
        "ApiId",
        "UserPoolId",
        "UserPoolClientId",
        "ConsoleClientId",
        "SignInUrl",
        "Region",
    },
}
MODEL = {"ClaudeModel": "claude-sonnet-5-5"}
PARAMETERS = {
    CONSOLE: {},
    DATA: {"ExistingUserPoolId": ""},
    WORKFLOWS: {
        **MODEL,
        "ClaudeProvider": "direct",
        "ClaudeBaseUrl": "",
        "ClaudeWorkspaceId": "",
        "LeaseSeconds": 60,
        "MaxClaudeCalls": 0,
        "RetryBaseSeconds": 8,
    },
    DATASETS: {},
    TRAINING: {"WatchSeconds": 30, "CapacityRetrySeconds": 300},
    API: {
        **MODEL,
        "ClaudeProvider": "direct",
        "OwnerBudgetUsd": "",
        "DeploymentBudgetUsd": "",
        "TrainingPriceWithoutCapUsd": "100",
        "RequireGroups": "false",
        "RequestsPerUserPerMinute": 1200,
    },
}
# Of the types in use, those that CloudFormation cannot tag.
UNTAGGED = {
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::IAM::Policy",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
TAGS = {"application": "brightrun", "stage": "dev"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stacks_outputs_are_the_promised_ones(templates: Templates, stack: str) -> None:
    outputs = templates.by_stack[stack]["Outputs"]
    assert {name for name in outputs if not name.startswith("Export")} == OUTPUTS[stack]


@pytest.mark.parametrize("stack", STACKS)
def test_a_stacks_parameters_are_the_promised_ones(templates: Templates, stack: str) -> None:
    parameters = {
        name: parameter["Default"]
        for name, parameter in templates.by_stack[stack].get("Parameters", {}).items()
        if name != "BootstrapVersion"
    }
    assert parameters == PARAMETERS[stack]


def test_every_resource_that_can_be_tagged_is_tagged(templates: Templates) -> None:
    for stack, logical_id, resource in templates.all():
        properties = resource["Properties"]
        tags = properties.get("Tags", properties.get("UserPoolTags"))
        if resource["Type"] in UNTAGGED:
            assert tags is None
        else:
            pairs = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
            assert pairs == TAGS, f"{stack}/{logical_id}"


def test_every_log_group_is_kept_for_the_stages_period(templates: Templates) -> None:
    groups = templates.of_type("AWS::Logs::LogGroup")
    machines = templates.of_type("AWS::StepFunctions::StateMachine")
    apis = 1
    assert len(groups) == len(templates.functions()) + len(machines) + apis
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {90}


def test_only_plain_cloudformation_types_are_used(templates: Templates) -> None:
    assert not [
        kind
        for kind in {resource["Type"] for _, _, resource in templates.all()}
        if kind.startswith(("Custom::", "AWS::CloudFormation::"))
    ]


def test_the_one_key_of_our_own_is_the_alarms(templates: Templates) -> None:
    keys = templates.of_type("AWS::KMS::Key")
    assert [body["Properties"]["Description"] for body in keys.values()] == [
        "Bright Run: the alarms' topic"
    ]


def test_stacks_deploy_in_the_order_data_then_workflows_then_api(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    needs = {stack: set(artifacts[stack]["dependencies"]) & set(STACKS) for stack in STACKS}
    assert needs == {
        CONSOLE: set(),
        DATA: set(),
        WORKFLOWS: {DATA},
        DATASETS: {DATA},
        TRAINING: {DATA},
        API: {CONSOLE, DATA, WORKFLOWS, DATASETS, TRAINING},
    }


def test_deleting_the_data_stack_takes_a_decision(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    assert artifacts[DATA]["properties"]["terminationProtection"] is True


def test_templates_stay_within_cloudformations_limits(assembly: Path, templates: Templates) -> None:
    for stack in STACKS:
        assert (assembly / f"{stack}.template.json").stat().st_size <= TEMPLATE_LIMIT_BYTES
        assert len(templates.by_stack[stack]["Resources"]) <= 500


def test_no_asset_depends_on_when_or_by_which_python_its_files_were_written(assembly: Path) -> None:
    assets = sorted(assembly.glob("asset.*"))
    assert len(assets) > len(list((ROOT / "functions").iterdir()))
    left_behind = [
        path
        for asset in assets
        for path in asset.rglob("__pycache__/*")
        if not path.name.endswith(".cpython-314.pyc")
    ]
    assert not left_behind


def test_the_command_writes_the_same_templates(assembly: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Layers: Dependencies ")
    for stack in STACKS:
        name = f"{stack}.template.json"
        assert (tmp_path / name).read_text() == (assembly / name).read_text()
