"""The API's front: who may sign in, how fast anyone may call, and what is logged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.http.permissions import GROUPS, REQUIRE_GROUPS
from brightrun.http.throttle import REQUESTS_PER_USER
from infra.routes import BEGINS_PAID_WORK
from tests.infra.templates import API, DATA, Templates, text

pytestmark = pytest.mark.slow


def only(templates: Templates, kind: str) -> dict[str, Any]:
    (resource,) = templates.of_type(kind, API).values()
    return resource


def user_pool(templates: Templates) -> dict[str, Any]:
    (pool,) = templates.of_type("AWS::Cognito::UserPool", DATA).values()
    return pool


def test_a_password_is_recovered_by_a_verified_e_mail_address(templates: Templates) -> None:
    properties = user_pool(templates)["Properties"]
    assert properties["AutoVerifiedAttributes"] == ["email"]
    assert properties["AccountRecoverySetting"] == {
        "RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]
    }


def test_users_outlive_the_api_and_can_be_taken_over(templates: Templates) -> None:
    template = templates.by_stack[DATA]
    pool = user_pool(templates)
    assert (pool["DeletionPolicy"], pool["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert template["Conditions"][pool["Condition"]] == {
        "Fn::Equals": [{"Ref": "ExistingUserPoolId"}, ""]
    }
    own, given = (
        output
        for output in template["Outputs"].values()
        if output.get("Export", {}).get("Name") == "BrightRunData:UserPoolId"
    )
    assert (own["Condition"], given["Condition"]) == ("OwnUserPool", "GivenUserPool")
    assert own["Value"]["Ref"].startswith("UserPool")
    assert given["Value"] == {"Ref": "ExistingUserPoolId"}
    for client in templates.of_type("AWS::Cognito::UserPoolClient", API).values():
        assert client["Properties"]["UserPoolId"] == {"Fn::ImportValue": "BrightRunData:UserPoolId"}


def test_the_groups_are_those_that_the_code_knows_and_outlive_the_stack(
    templates: Templates,
) -> None:
    groups = templates.of_type("AWS::Cognito::UserPoolGroup", DATA).values()
    assert {group["Properties"]["GroupName"] for group in groups} == set(GROUPS)
    for group in groups:
        assert (group["DeletionPolicy"], group["Condition"]) == ("Retain", "OwnUserPool")
        assert group["Properties"]["UserPoolId"]["Ref"].startswith("UserPool")
        assert "RoleArn" not in group["Properties"]


def test_what_holds_for_every_function_reaches_it_as_a_stage_variable(
    templates: Templates,
) -> None:
    assert only(templates, "AWS::ApiGatewayV2::Stage")["Properties"]["StageVariables"] == {
        REQUIRE_GROUPS: {"Ref": "RequireGroups"},
        REQUESTS_PER_USER: {"Ref": "RequestsPerUserPerMinute"},
    }
    parameter = templates.by_stack[API]["Parameters"]["RequireGroups"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("false", ["true", "false"])


def test_only_operators_create_users_and_passwords_are_strong(templates: Templates) -> None:
    pool = user_pool(templates)
    properties = pool["Properties"]
    assert properties["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert properties["UsernameAttributes"] == ["email"]
    assert properties["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 12,
        "RequireLowercase": True,
        "RequireUppercase": True,
        "RequireNumbers": True,
        "RequireSymbols": True,
    }
    assert properties["DeletionProtection"] == "ACTIVE"
    assert pool["DeletionPolicy"] == "Retain"


def test_the_client_has_no_secret_and_only_the_documented_flows(templates: Templates) -> None:
    clients = templates.of_type("AWS::Cognito::UserPoolClient")
    (client,) = (body["Properties"] for name, body in clients.items() if "Console" not in name)
    assert client["GenerateSecret"] is False
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_the_default_stage_deploys_by_itself_and_is_throttled(templates: Templates) -> None:
    stage = only(templates, "AWS::ApiGatewayV2::Stage")["Properties"]
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": 50,
        "ThrottlingBurstLimit": 100,
    }


def test_orders_that_are_billed_are_throttled_apart_once_their_routes_exist(
    templates: Templates,
) -> None:
    stage = only(templates, "AWS::ApiGatewayV2::Stage")
    slower = stage["Properties"]["RouteSettings"]
    assert set(slower) == set(BEGINS_PAID_WORK)
    assert {tuple(settings.values()) for settings in slower.values()} == {(5, 20)}
    routes = templates.of_type("AWS::ApiGatewayV2::Route", API)
    first = {
        logical_id
        for logical_id, route in routes.items()
        if route["Properties"]["RouteKey"] in BEGINS_PAID_WORK
    }
    assert len(first) == len(BEGINS_PAID_WORK)
    assert first <= set(stage["DependsOn"])


def test_access_logs_say_who_and_what_but_hold_no_query_header_or_body(
    templates: Templates,
) -> None:
    settings = only(templates, "AWS::ApiGatewayV2::Stage")["Properties"]["AccessLogSettings"]
    logged = json.loads(settings["Format"])
    assert logged["owner"] == "$context.authorizer.claims.sub"
    assert {"requestId", "route", "status", "latencyMs"} <= logged.keys()
    assert all(value.startswith("$context.") for value in logged.values())
    assert "path" not in text(settings["Format"]).lower()
    assert text(settings["DestinationArn"]).count(":*") == 0


def test_browsers_may_call_from_the_console_and_one_more_origin_only(
    templates: Templates,
) -> None:
    cors = only(templates, "AWS::ApiGatewayV2::Api")["Properties"]["CorsConfiguration"]
    console, other = cors["AllowOrigins"]
    assert text(console) == "https://BrightRunConsole:Domain"
    assert other == "http://127.0.0.1:8610"
    assert set(cors["AllowMethods"]) == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert set(cors["AllowHeaders"]) == {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
    }
    assert cors["ExposeHeaders"] == ["etag", "idempotent-replayed"]
    assert "AllowCredentials" not in cors
