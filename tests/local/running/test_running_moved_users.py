"""Users keep their ids when a version makes their pool in another stack than the one before did."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from local.settings import USER_NAME
from tests.local.running_system import ASSEMBLY, start_fixture_system

pytestmark = pytest.mark.slow


@pytest.fixture
def later_assembly(tmp_path: Path) -> Path:
    """The fixture with its user pool in the data stack, made unless a parameter names one."""
    folder = tmp_path / "later"
    shutil.copytree(ASSEMBLY, folder)
    api, data = (folder / f"Fixture{name}.template.json" for name in ("Api", "Data"))
    before: dict[str, Any] = json.loads(api.read_text())
    pool = before["Resources"].pop("UserPool")
    imported = {"Fn::ImportValue": "FixtureData:UserPoolId"}
    text = json.dumps(before).replace('{"Ref": "UserPool"}', json.dumps(imported))
    issuer = {
        "Fn::Join": [
            "",
            ["https://cognito-idp.", {"Ref": "AWS::Region"}, ".amazonaws.com/", imported],
        ]
    }
    after = json.loads(text)
    after["Resources"]["Authorizer"]["Properties"]["JwtConfiguration"]["Issuer"] = issuer
    api.write_text(json.dumps(after))
    template: dict[str, Any] = json.loads(data.read_text())
    template["Parameters"]["ExistingUserPoolId"] = {"Type": "String", "Default": ""}
    template["Conditions"] = {"OwnUserPool": {"Fn::Equals": [{"Ref": "ExistingUserPoolId"}, ""]}}
    template["Resources"]["KeptUserPool"] = {**pool, "Condition": "OwnUserPool"}
    template["Outputs"]["UserPoolExport"] = {
        "Value": {
            "Fn::If": ["OwnUserPool", {"Ref": "KeptUserPool"}, {"Ref": "ExistingUserPoolId"}]
        },
        "Export": {"Name": "FixtureData:UserPoolId"},
    }
    data.write_text(json.dumps(template))
    return folder


@pytest.fixture
def earlier_assembly(tmp_path: Path) -> Path:
    """The fixture, whose pool outlives its stack, as that of the product."""
    folder = tmp_path / "earlier"
    shutil.copytree(ASSEMBLY, folder)
    file = folder / "FixtureApi.template.json"
    template = json.loads(file.read_text())
    template["Resources"]["UserPool"]["DeletionPolicy"] = "Retain"
    file.write_text(json.dumps(template))
    return folder


def owner_of(templates: Path, data: Path) -> tuple[str, str]:
    """The ids of the pool and of the local user, who can sign in and call the API, of one run."""
    system = start_fixture_system(data, templates)
    try:
        headers = {"authorization": f"Bearer {system.sign_in()}"}
        assert system.request("GET", "/api/echo", headers=headers).status == 200
        pool = system.outputs["UserPoolId"]
        user = system.aws("cognito-idp").admin_get_user(UserPoolId=pool, Username=USER_NAME)
    finally:
        system.stop()
    (sub,) = (one["Value"] for one in user["UserAttributes"] if one["Name"] == "sub")
    return pool, sub


def test_a_user_stays_the_same_when_the_pool_moves_to_another_stack(
    tmp_path: Path, earlier_assembly: Path, later_assembly: Path
) -> None:
    versions = (earlier_assembly, later_assembly, later_assembly)
    assert len({owner_of(templates, tmp_path / "data") for templates in versions}) == 1


def test_a_new_system_has_the_pool_of_the_data_stack(tmp_path: Path, later_assembly: Path) -> None:
    assert len({owner_of(later_assembly, tmp_path / "data") for _ in range(2)}) == 1
