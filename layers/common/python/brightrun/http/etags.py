"""ETags and the preconditions made of them, as RFC 9110 has them (sections 8.8.3 and 13).

A record that is changed under its version has the strong ETag `"v{version}"`; every other response
to a GET has a weak one, a hash of its body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

from brightrun.core.errors import InvalidInputError
from brightrun.http.bodies import JSON
from brightrun.http.problems import domain_problem
from brightrun.http.schemas import NestedModel

LONGEST_LIST = 1000
"""Characters of a header that lists ETags."""


def _list_of(tag: str) -> str:
    return rf"^(?:\*|{tag}(?: *, *{tag})*)$"


_WEAK = r'W/"[!#-~]*"'
_VERSIONS = _list_of(rf'(?:"v[0-9]{{1,18}}"|{_WEAK})')
_TAGS = _list_of(r'(?:W/)?"[!#-~]*"')
_STRONG = re.compile(rf'{_WEAK}|"v([0-9]+)"')
_OPAQUE = re.compile(r'"[^"]*"')
_HASH_BYTES = 16
_REMEDY = (
    'Write ETags as responses have them, in quotes: "v3", or W/"1f", with commas between; or *.'
)

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=LONGEST_LIST,
        description='ETags that the caller has seen, such as "v3", or * for any version; the '
        "request is answered with 409 and the current state if the record has another one.",
        json_schema_extra={"pattern": _VERSIONS},
    ),
]
IF_NONE_MATCH: Mapping[str, Any] = {
    "name": "if-none-match",
    "in": "header",
    "description": "ETags of responses that the caller has; 304 if the response has one of them.",
    "required": False,
    "schema": {"type": "string", "maxLength": LONGEST_LIST, "pattern": _TAGS},
}
"""The parameter that every GET has, as the OpenAPI document shows it."""
ResponseT = TypeVar("ResponseT", bound=NestedModel)


def seen_versions(if_match: str | None) -> frozenset[int] | None:
    """Parse the versions of an If-Match header; None, any version, without one and for `*`.

    The comparison is strong: a weak tag stands for no version. Raises InvalidInputError.
    """
    if if_match is None:
        return None
    if not re.fullmatch(_VERSIONS, if_match):
        raise InvalidInputError.of_field("If-Match", _REMEDY)
    if if_match == "*":
        return None
    return frozenset(int(number) for number in _STRONG.findall(if_match) if number)


def with_etag(
    body: ResponseT, version: int, status: HTTPStatus = HTTPStatus.OK
) -> Response[ResponseT]:
    """Return a body with the strong ETag of its record's version."""
    return Response(
        status_code=status.value,
        content_type=JSON,
        body=body,
        headers={"ETag": f'"v{version}"'},
    )


def if_none_match_problem(event: Mapping[str, Any]) -> Response[str] | None:
    """Return a problem if the If-None-Match of an API Gateway event is no list of ETags."""
    listed = event["headers"].get("if-none-match", "*")
    if len(listed) <= LONGEST_LIST and re.fullmatch(_TAGS, listed):
        return None
    return domain_problem(InvalidInputError.of_field("If-None-Match", _REMEDY))


def revalidated(event: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Give the answer to a GET its ETag, or make it a 304 if If-None-Match names that.

    Both are the event and the response of API Gateway's payload format 2.0. The comparison is weak.
    """
    method = event["requestContext"]["http"]["method"]
    if method != "GET" or answer["statusCode"] != HTTPStatus.OK:
        return answer
    etag = answer["headers"].setdefault("ETag", _weak_etag(answer["body"]))
    listed = event["headers"].get("if-none-match", "")
    if listed != "*" and etag.removeprefix("W/") not in _OPAQUE.findall(listed):
        return answer
    return {
        **answer,
        "statusCode": HTTPStatus.NOT_MODIFIED.value,
        "headers": {"ETag": etag},
        "body": "",
    }


def _weak_etag(body: str) -> str:
    return f'W/"{blake2b(body.encode(), digest_size=_HASH_BYTES).hexdigest()}"'
