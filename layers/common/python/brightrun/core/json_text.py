"""JSON texts: as people read them, and whether UTF-8 can hold what they say."""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def require_encodable(text: str, value: Any) -> None:
    """Raise UnicodeEncodeError if the value that a JSON text was parsed into is no UTF-8.

    JSON can contain an unpaired surrogate as it is, or escaped; only what has escaped ones is
    written again to see.
    """
    written = json.dumps(value, ensure_ascii=False) if _SURROGATE.search(text) else text
    written.encode("utf-8")


def indented(value: Any) -> str:
    """Write a value as JSON with two spaces a level; raises ValueError for NaN and infinities.

    The standard library writes indented JSON in Python, which takes ten times as long.
    """
    import msgspec

    return msgspec.json.format(json.dumps(value, ensure_ascii=False, allow_nan=False), indent=2)
