"""The HTTP edge that every API function shares: validation, problems, the caller's identity."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import errors
from brightrun.api.problems import domain_problem, problem, request_problem
from brightrun.observability import logger


def build_api() -> APIGatewayHttpResolver:
    """Make a resolver that validates requests and answers every error as problem+json."""
    api = APIGatewayHttpResolver(
        enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )

    @api.exception_handler(errors.BrightRunError)
    def on_domain_error(error: errors.BrightRunError) -> Response[str]:
        return domain_problem(error)

    @api.exception_handler(RequestValidationError)
    def on_invalid_request(error: RequestValidationError) -> Response[str]:
        return request_problem(error.errors())

    @api.exception_handler(Exception)
    def on_surprise(error: Exception) -> Response[str]:
        # The type alone: a message could hold what the caller sent.
        logger().error("unexpected_error", error_type=type(error).__name__)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "Something went wrong on our side; try again, and report it if it stays.",
            code="internal_error",
        )

    @api.not_found
    def on_unknown_route(_: RouteNotFoundError) -> Response[str]:
        return problem(HTTPStatus.NOT_FOUND, "There is no such route.", code="no_such_route")

    return api


def owner_of(api: APIGatewayHttpResolver | APIGatewayHttpRouter) -> str:
    """Give the caller's id: the token's `sub`, checked by API Gateway before we run.

    Raises RuntimeError when the route has no JWT authorizer, which is a fault of the deployment.
    """
    authorizer = api.current_event.request_context.authorizer
    claims: dict[str, Any] = (authorizer.jwt_claim if authorizer else None) or {}
    owner = claims.get("sub")
    if not owner:
        raise RuntimeError("The route has no JWT authorizer.")
    return str(owner)
