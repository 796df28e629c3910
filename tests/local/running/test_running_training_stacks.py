"""What the templates of training hold, and earlier ones did not, is deployed here too."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.local.running_system import ASSEMBLY, start_fixture_system

pytestmark = pytest.mark.slow

INLINE_LIMIT_BYTES = 51_200
"""The largest template in a request; larger ones come from S3. Source: CloudFormation quotas."""


def test_large_template_with_roles_rules_and_images_is_deployed(tmp_path: Path) -> None:
    assembly = Path(shutil.copytree(ASSEMBLY, tmp_path / "assembly"))
    template_file = assembly / "FixtureData.template.json"
    template = json.loads(template_file.read_text())
    _add_training(template)
    template_file.write_text(json.dumps(template))
    assert template_file.stat().st_size > INLINE_LIMIT_BYTES
    assets_file = assembly / "FixtureData.assets.json"
    image = {"source": {"directory": "asset.image"}, "destinations": {}}
    assets = {**json.loads(assets_file.read_text()), "dockerImages": {"image": image}}
    assets_file.write_text(json.dumps(assets))

    system = start_fixture_system(tmp_path / "data", assembly)
    iam = system.aws("iam")
    role = system.outputs["TrainingRoleArn"].rpartition("/")[2]
    policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert set(policies) == {"channels", "pass"}
    assert system.outputs["ImageUri"] == "none"
    rules = system.aws("events").list_rules()["Rules"]
    assert {rule["State"] for rule in rules} == {"ENABLED"}
    assert len(rules) == 2
    system.stop()


def _add_training(template: dict[str, Any]) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": {"Fn::GetAtt": ["TrainingRole", "Arn"]},
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [_arn(n) for n in range(1000)]}
    template["Parameters"]["TrainingImage"] = {"Type": "String", "Default": ""}
    named = {"Fn::Not": [{"Fn::Equals": [{"Ref": "TrainingImage"}, ""]}]}
    template["Conditions"] = {"ImageIsNamed": named}
    template["Resources"] |= {
        "TrainingRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _policy(
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "sagemaker.amazonaws.com"},
                    }
                ),
                "Policies": [{"PolicyName": "channels", "PolicyDocument": _policy(read)}],
            },
        },
        "PassPolicy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "pass",
                "Roles": [{"Ref": "TrainingRole"}],
                "PolicyDocument": _policy(statement),
            },
        },
        "StateChanges": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.sagemaker"]},
                "State": "ENABLED",
            },
        },
        "Sweep": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(15 minutes)", "State": "ENABLED"},
        },
    }
    template["Outputs"] |= {
        "TrainingRoleArn": {"Value": {"Fn::GetAtt": ["TrainingRole", "Arn"]}},
        "ImageUri": {"Value": {"Fn::If": ["ImageIsNamed", {"Ref": "TrainingImage"}, "none"]}},
    }


def _arn(number: int) -> str:
    return f"arn:aws:s3:::a-bucket-with-a-rather-long-name/prefix-{number}/*"


def _policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}
