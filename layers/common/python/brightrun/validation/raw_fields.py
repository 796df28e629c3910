"""Checks the small fields of many lines in one go: well typed, and no key twice.

Texts are most of a line, so that everything else is left `Raw` at first and decoded for all lines
of a chunk together, which costs a third of decoding it line by line.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from brightrun.formats import UNUSUAL

_KEY_END = b'":'
_encode = msgspec.json.Encoder().encode

RawFieldsCheck = Callable[[Sequence[msgspec.Raw]], bool]


def raw_fields_check(kind: Any) -> RawFieldsCheck:
    """Return a check of fields of one type: False if one of them may not be sound.

    Written again, a value has each key once.  So a key stands twice exactly when the line has
    more ends of keys than the copy; what would blur that count (a space before a colon, a quote
    written as an escape) is not sound enough for this check.
    """
    decode = msgspec.json.Decoder(list[kind]).decode

    def check(fields: Sequence[msgspec.Raw]) -> bool:
        written = b"[" + b",".join(fields) + b"]"
        try:
            values = decode(written)
        except UNUSUAL:
            return False
        if b"\\u0022" in written or _has_loose_colon(written):
            return False
        once = _encode(values).count(_KEY_END)
        return once == written.count(_KEY_END)

    return check


def _has_loose_colon(written: bytes) -> bool:
    """Tell whether a space may stand between a key and its colon."""
    return b'" ' in written or b'"\t' in written or b'"\r' in written
