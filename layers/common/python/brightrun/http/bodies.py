"""Request bodies: JSON objects, parsed more strictly than Python's json module does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import Response

from brightrun.core.errors import InvalidInputError
from brightrun.core.json_text import require_encodable
from brightrun.http.problems import problem

JSON = "application/json"


def body_problem(event: Mapping[str, Any]) -> Response[str] | None:
    """Return a problem if the body of an API Gateway event cannot be read, else None.

    Without this, the resolver would accept forms too, and fail on bytes that are not UTF-8.
    """
    if not event.get("body"):
        return None
    media_type = event["headers"].get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type != JSON:
        return problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Send the body as JSON, with the header Content-Type: {JSON}.",
            code="unsupported_media_type",
        )
    if event.get("isBase64Encoded"):
        try:
            base64.b64decode(event["body"], validate=True).decode()
        except ValueError:
            return problem(
                HTTPStatus.BAD_REQUEST, "The body is not UTF-8 text.", code="unreadable_body"
            )
    return None


def read_object(text: str) -> dict[str, Any]:
    """Parse a body that must be one JSON object.

    Raises InvalidInputError for invalid JSON, another type of value, duplicate names, NaN and
    Infinity, unpaired surrogates, and nesting or numbers beyond the parser's limits.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_number,
        )
        require_encodable(text, value)
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg} at line {error.lineno} column {error.colno}") from error
    except UnicodeEncodeError as error:
        raise _unreadable("it contains an unpaired surrogate") from error
    except RecursionError as error:
        raise _unreadable("it is nested too deeply") from error
    except ValueError as error:
        raise _unreadable("a number in it is too long") from error
    if not isinstance(value, dict):
        raise _unreadable("it must be an object, written in braces")
    return value


def _unreadable(reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"The body is not the JSON that this route takes: {reason}.",
        details=[{"field": "body", "message": reason}],
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _unreadable("a name appears twice in one object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise _unreadable(f"{name} is not JSON")


def _number(digits: str) -> float | int:
    """Parse 5.0 as the integer 5, since JSON does not distinguish them."""
    value = float(digits)
    return int(value) if value.is_integer() else value
