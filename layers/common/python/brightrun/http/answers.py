"""Bodies of answers: JSON in UTF-8, as large as Lambda can answer."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.shared.json_encoder import Encoder

from brightrun.core.payloads import MOST_BODY_BYTES, bytes_within_payload
from brightrun.http.problems import problem


def to_json(value: Any) -> str:
    """Write the body of an answer; a letter takes as many bytes as it has in UTF-8, not six."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), cls=Encoder)
    try:
        text.encode()
    except UnicodeEncodeError:  # An unpaired surrogate, quoted from a file, stays escaped.
        return json.dumps(value, separators=(",", ":"), cls=Encoder)
    return text


def size_problem(body: str) -> Response[str] | None:
    """Return a problem in place of a body that Lambda would refuse to answer, else None."""
    # Escapes at most double what is JSON already, and a letter has at most four bytes.
    if len(body) * 4 <= MOST_BODY_BYTES or bytes_within_payload(body) <= MOST_BODY_BYTES:
        return None
    return problem(
        HTTPStatus.BAD_REQUEST,
        f"The answer would have more than {MOST_BODY_BYTES / 1_000_000:.1f} MB. Ask for less: with "
        "a filter, a smaller page or fewer ids, or without the texts.",
        code="answer_too_large",
    )
