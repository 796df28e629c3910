"""What an HTTP API of API Gateway makes of a request for a function (payload format 2.0)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml")
_NONE: Mapping[str, str] = MappingProxyType({})


def http_event(
    route_key: str,
    target: str,
    *,
    parameters: Mapping[str, str] = _NONE,
    headers: Mapping[str, str] = _NONE,
    body: bytes | None = None,
    claims: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Build the event of `route_key` for a request target, such as /api/batch-jobs?limit=5.

    As in AWS: the path arrives decoded and the query both ways, repeated names are joined by
    commas, header names are in lower case, and a body that is no text is in base64.
    """
    raw_path, _, raw_query = target.partition("?")
    method = route_key.partition(" ")[0]
    lowered = {name.lower(): value for name, value in headers.items()}
    joined: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": unquote(raw_path),
        "rawQueryString": raw_query,
        "headers": lowered,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "api-id.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": method,
                "path": unquote(raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": lowered.get("user-agent", "tests"),
            },
            "requestId": "request-1",
            "routeKey": route_key,
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795262400000,
        },
        "isBase64Encoded": False,
    }
    if claims is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": None}}
    if joined:
        event["queryStringParameters"] = joined
    if parameters:
        event["pathParameters"] = {name: unquote(value) for name, value in parameters.items()}
    if body:
        event |= _encoded(body, lowered.get("content-type", ""))
    return event


def _encoded(body: bytes, content_type: str) -> dict[str, Any]:
    if content_type.startswith(TEXTUAL):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
