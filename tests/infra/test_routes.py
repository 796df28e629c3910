"""The routes as data, and that API Gateway gets them and nothing else."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from infra.routes import ROUTES
from tests.infra.templates import API, Templates, text

EVERY_ROUTE = list(chain.from_iterable(ROUTES.values()))
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /api(/[a-z-]+|/\{id\})+")


def test_no_route_is_answered_by_two_functions() -> None:
    assert len(EVERY_ROUTE) == len(set(EVERY_ROUTE))


def test_every_route_is_a_method_and_a_plain_path() -> None:
    assert not [route for route in EVERY_ROUTE if not ROUTE.fullmatch(route)]


@pytest.mark.slow
def test_the_api_has_exactly_these_routes(templates: Templates) -> None:
    routes = templates.of_type("AWS::ApiGatewayV2::Route", API).values()
    assert sorted(route["Properties"]["RouteKey"] for route in routes) == sorted(EVERY_ROUTE)


@pytest.mark.slow
def test_every_route_demands_a_token_of_our_pool(templates: Templates) -> None:
    ((authorizer_id, authorizer),) = templates.of_type("AWS::ApiGatewayV2::Authorizer").items()
    clients = templates.of_type("AWS::Cognito::UserPoolClient")
    jwt = authorizer["Properties"]["JwtConfiguration"]
    assert authorizer["Properties"]["AuthorizerType"] == "JWT"
    assert [audience["Ref"] for audience in jwt["Audience"]] == list(clients)
    assert (
        text(jwt["Issuer"])
        == "https://cognito-idp.us-east-1.AWS::URLSuffix/BrightRunData:UserPoolId"
    )
    for route in templates.of_type("AWS::ApiGatewayV2::Route").values():
        assert route["Properties"]["AuthorizationType"] == "JWT"
        assert route["Properties"]["AuthorizerId"] == {"Ref": authorizer_id}


@pytest.mark.slow
def test_every_route_demands_a_scope_that_only_access_tokens_have(templates: Templates) -> None:
    for route in templates.of_type("AWS::ApiGatewayV2::Route").values():
        assert route["Properties"]["AuthorizationScopes"] == ["aws.cognito.signin.user.admin"]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_functions_routes_reach_that_function(templates: Templates, name: str) -> None:
    integrations = templates.of_type("AWS::ApiGatewayV2::Integration")
    functions = templates.of_type("AWS::Lambda::Function")
    for route in templates.of_type("AWS::ApiGatewayV2::Route").values():
        if route["Properties"]["RouteKey"] in ROUTES[name]:
            integration = integrations[text(route["Properties"]["Target"]).split("/")[1]]
            function = integration["Properties"]["IntegrationUri"]["Fn::GetAtt"][0]
            environment = functions[function]["Properties"]["Environment"]["Variables"]
            assert environment["POWERTOOLS_SERVICE_NAME"] == name


@pytest.mark.slow
def test_api_gateway_may_invoke_each_function_and_only_through_this_api(
    templates: Templates,
) -> None:
    permissions = templates.of_type("AWS::Lambda::Permission", API).values()
    ((api, _),) = templates.of_type("AWS::ApiGatewayV2::Api").items()
    assert len(permissions) == len(ROUTES)
    for permission in permissions:
        assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
        assert f":{api}/" in text(permission["Properties"]["SourceArn"])
