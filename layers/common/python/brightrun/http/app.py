"""The HTTP edge that every API function shares: validation, problems, the caller's identity."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.core import errors
from brightrun.core.logging import logger
from brightrun.http.bodies import JSON, body_problem, read_object
from brightrun.http.problems import (
    domain_problem,
    internal_problem,
    problem,
    request_problem,
    status_of,
    storage_problem,
)

SAFE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""On every answer: it is one caller's alone, and is what its content type says."""


S = TypeVar("S")
Services = Mapping[type[Any], Callable[[], Any]]
"""How a function composes each of its services, by the service's class."""


class JsonApi(APIGatewayHttpResolver):
    """A resolver that takes and gives JSON only."""

    def __init__(self, services: Services) -> None:
        self.services = services
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
            json_body_deserializer=read_object,
        )

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}$") -> re.Pattern[str]:
        """Let an id be any text without a slash: the resolver's own letters leave names out."""
        return re.compile(base_regex.format(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule)))

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer an API Gateway event of payload format 2.0."""
        unreadable = body_problem(event)
        # The resolver wants the content type written exactly so.
        plain = {**event, "headers": {**event["headers"], "content-type": JSON}}
        answer = _gateway_answer(unreadable) if unreadable else super().resolve(plain, context)
        answer["headers"] |= SAFE_HEADERS
        return answer


def build_api(*routers: APIGatewayHttpRouter, services: Services) -> JsonApi:
    """Make a resolver of some routes that answers every error as problem+json."""
    api = JsonApi(services)
    api.exception_handler(Exception)(_on_surprise)
    api.exception_handler(errors.BrightRunError)(_on_domain_error)
    api.exception_handler(errors.StorageError)(_on_failed_storage)
    api.exception_handler(RequestValidationError)(_on_invalid_request)
    api.not_found(_on_unknown_route)
    for router in routers:
        api.include_router(router)
    return api


def service(router: APIGatewayHttpRouter, kind: type[S]) -> S:
    """Give the service of a class as the function's wiring composes it.

    Raises RuntimeError when the wiring has none, which is a fault of the deployment.
    """
    api = router.api_resolver
    if not isinstance(api, JsonApi) or kind not in api.services:
        raise RuntimeError(f"The function's wiring composes no {kind.__name__}.")
    composed: S = api.services[kind]()
    return composed


def owner_of(router: APIGatewayHttpRouter) -> str:
    """Give the caller's id: the token's `sub`, checked by API Gateway before we run.

    Raises RuntimeError when the route has no JWT authorizer, which is a fault of the deployment.
    """
    owner = router.current_event.request_context.authorizer.jwt_claim.get("sub")
    if not owner:
        raise RuntimeError("The route has no JWT authorizer.")
    return str(owner)


def _gateway_answer(response: Response[str]) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }


def _on_surprise(error: Exception) -> Response[str]:
    # Its type and its way through the code: a message could hold what the caller sent.
    frames = traceback.extract_tb(error.__traceback__)
    way = [
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in frames
        if "aws_lambda_powertools" not in frame.filename
    ]
    logger().error("unexpected_error", error_type=type(error).__name__, at=way)
    return internal_problem()


def _on_domain_error(error: errors.BrightRunError) -> Response[str]:
    if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
        return _on_surprise(error)
    return domain_problem(error)


def _on_failed_storage(error: errors.StorageError) -> Response[str]:
    logger().error("storage_unavailable", reason=error.message)
    return storage_problem(error)


def _on_invalid_request(error: RequestValidationError) -> Response[str]:
    return request_problem(error.errors())


def _on_unknown_route(_: RouteNotFoundError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "There is no such route.", code="no_such_route")
