"""JSON as the training formats need it: read strictly, written as the product writes it."""

import json
import re
from typing import Any, NoReturn

from brightrun.formats.errors import RecordError

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_constant(name: str) -> NoReturn:
    raise RecordError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise RecordError(f"the key {twice!r} stands twice in one object")
    return value


def loads(text: str | bytes) -> Any:
    """Parse one JSON value, key order and the kind of each number kept.

    Raises RecordError for broken JSON, invalid UTF-8, NaN, Infinity, repeated keys, a surrogate
    escape without its partner, and nesting deeper than the parser can follow.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        value = json.loads(decoded, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        if _SURROGATE_ESCAPE.search(decoded):
            compact(value).encode()
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8 at byte {error.start + 1}") from error
    except UnicodeEncodeError as error:
        raise RecordError("half of a surrogate pair stands alone") from error
    except RecursionError as error:
        raise RecordError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    return value


def compact(value: Any) -> str:
    """Write one value without spaces, other alphabets as they are: a JSONL line of the product."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def indented(value: Any) -> str:
    """Write one value by two spaces, other alphabets as they are: a JSON file of the product."""
    return json.dumps(value, ensure_ascii=False, indent=2)
