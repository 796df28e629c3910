"""What a Lambda function can answer: JSON of at most 6 MB, in which an HTTP body is a string."""

from __future__ import annotations

import json

MOST_BODY_BYTES = 6 * 1024 * 1024 - 64 * 1024
"""Of a body within the payload; the rest is for its headers."""


def bytes_within_payload(text: str) -> int:
    """The bytes of a text as a string of a payload.

    Lambda's runtime writes letters of all scripts as UTF-8, and escapes quotes and controls.
    """
    return len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass"))
