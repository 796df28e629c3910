"""Shared by all API functions: the resolver, error handlers, services and the caller's identity."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.core import errors
from brightrun.core.logging import logger
from brightrun.core.replays import watching_for_replay
from brightrun.http.answers import size_problem, to_json
from brightrun.http.bodies import JSON, body_problem, read_object
from brightrun.http.etags import if_none_match_problem, revalidated
from brightrun.http.permissions import group_problem
from brightrun.http.problems import (
    domain_problem,
    internal_problem,
    problem,
    request_problem,
    status_of,
    storage_problem,
)
from brightrun.http.throttle import OwnerThrottle

SAFE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every response: no caching, and no guessing of the content type."""
REPLAYED = {"Idempotent-Replayed": "true"}
"""The header of an answer to a repeated order: it shows what the first one began."""

S = TypeVar("S")
Services = Mapping[type[Any], Callable[[], Any]]
"""A factory for each service of a function, by the service's class."""


class JsonApi(APIGatewayHttpResolver):
    """A resolver whose requests and responses are JSON only."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._throttle = OwnerThrottle()
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
            serializer=to_json,
            json_body_deserializer=read_object,
        )

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}$") -> re.Pattern[str]:
        """Match any text without a slash as a path parameter; names may contain spaces."""
        return re.compile(base_regex.format(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule)))

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Handle an API Gateway event of payload format 2.0."""
        refused = (
            self._throttle.problem(event)
            or group_problem(event)
            or body_problem(event)
            or if_none_match_problem(event)
        )
        # The resolver compares the content type literally, without parameters.
        plain = {**event, "headers": {**event["headers"], "content-type": JSON}}
        with watching_for_replay() as replay:
            answer = _to_gateway_response(refused) if refused else super().resolve(plain, context)
        if too_large := size_problem(answer.get("body") or ""):
            answer = _to_gateway_response(too_large)
        answer = revalidated(event, answer)
        answer["headers"] |= SAFE_HEADERS
        if replay.is_replay and answer["statusCode"] < HTTPStatus.BAD_REQUEST:
            answer["headers"] |= REPLAYED
        return answer


def build_api(*routers: APIGatewayHttpRouter, services: Services) -> JsonApi:
    """Create a resolver for some routers that returns every error as problem+json."""
    api = JsonApi(services)
    api.exception_handler(Exception)(_on_unexpected_error)
    api.exception_handler(errors.BrightRunError)(_on_domain_error)
    api.exception_handler(errors.VersionConflictError)(partial(_on_version_conflict, api))
    api.exception_handler(errors.StorageError)(_on_failed_storage)
    api.exception_handler(errors.ContentionError)(_on_domain_error)
    api.exception_handler(RequestValidationError)(_on_invalid_request)
    api.not_found(_on_unknown_route)
    for router in routers:
        api.include_router(router)
    return api


def service(router: APIGatewayHttpRouter, kind: type[S]) -> S:
    """Return the service of a class, as the function's wiring composes it.

    Raises RuntimeError if the wiring has no such service.
    """
    api = router.api_resolver
    if not isinstance(api, JsonApi) or kind not in api.services:
        raise RuntimeError(f"The function's wiring composes no {kind.__name__}.")
    composed: S = api.services[kind]()
    return composed


def owner_of(router: APIGatewayHttpRouter) -> str:
    """Return the caller's id: the `sub` of the token that API Gateway has verified.

    Raises RuntimeError if the route was deployed without a JWT authorizer.
    """
    owner = router.current_event.request_context.authorizer.jwt_claim.get("sub")
    if not owner:
        raise RuntimeError("The route has no JWT authorizer.")
    return str(owner)


def _to_gateway_response(response: Response[str]) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }


def _on_unexpected_error(error: Exception) -> Response[str]:
    # Only type and traceback are logged: the message could hold parts of the request.
    frames = traceback.extract_tb(error.__traceback__)
    location = [
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in frames
        if "aws_lambda_powertools" not in frame.filename
    ]
    logger().error("unexpected_error", error_type=type(error).__name__, at=location)
    return internal_problem()


def _on_version_conflict(api: JsonApi, error: errors.VersionConflictError) -> Response[str]:
    """Without If-Match it was another request at the same time, and the same one can succeed."""
    if "if-match" not in api.current_event.headers:
        error.retry_after_s = 1
    return _on_domain_error(error)


def _on_domain_error(error: errors.BrightRunError) -> Response[str]:
    if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
        return _on_unexpected_error(error)
    return domain_problem(error)


def _on_failed_storage(error: errors.StorageError) -> Response[str]:
    logger().error("storage_unavailable", reason=error.message)
    return storage_problem(error)


def _on_invalid_request(error: RequestValidationError) -> Response[str]:
    return request_problem(error.errors())


def _on_unknown_route(_: RouteNotFoundError) -> Response[str]:
    return problem(HTTPStatus.NOT_FOUND, "There is no such route.", code="no_such_route")
