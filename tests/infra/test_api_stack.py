"""The API's front: who may sign in, how fast anyone may call, and what is logged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.templates import API, Templates, text

pytestmark = pytest.mark.slow


def only(templates: Templates, kind: str) -> dict[str, Any]:
    (resource,) = templates.of_type(kind, API).values()
    return resource


def test_only_operators_create_users_and_passwords_are_strong(templates: Templates) -> None:
    pool = only(templates, "AWS::Cognito::UserPool")
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
    client = only(templates, "AWS::Cognito::UserPoolClient")["Properties"]
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


def test_browsers_may_call_from_the_allowed_origin_only(templates: Templates) -> None:
    cors = only(templates, "AWS::ApiGatewayV2::Api")["Properties"]["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["http://127.0.0.1:8610"]
    assert set(cors["AllowMethods"]) == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert set(cors["AllowHeaders"]) == {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
    }
    assert cors["ExposeHeaders"] == ["etag"]
    assert "AllowCredentials" not in cors
