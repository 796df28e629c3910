"""Training examples with text that breaks careless writers, and v4 pairs as they are stored."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from brightrun.formats import convert
from brightrun.formats.model import Example, Turn
from brightrun.formats.tally import Conversion
from brightrun.formats.text import MEDIA_PLACEHOLDERS, ends_cut, is_blank
from brightrun.formats.v4 import lines_of

REAL_FILES = Path(__file__).parents[4] / "shared" / "data"
needs_real_files = pytest.mark.skipif(
    not REAL_FILES.is_dir(), reason="v1's files are not beside the checkout"
)
HARD_TEXTS = [
    "He said \"yes\" and 'no'.",
    "C:\\new\\table",
    "line one\nline two\r\n\ttabbed",
    '\\n literal \\" escapes \\u00e9',
    "🙂👩‍👩‍👧‍👦 emoji 🇩🇪",
    "שלום עולם مرحبا بالعالم",
    "{[(<lone brackets",
    "}])>",
    "null",
    "[]",
    '{"role": "user", "content": "nested"}',
    "\u2028 separators \u2029",
    "\x00\x01\x1f control \x7f",
    "e\u0301 combining \u200b zero width \ufeff",
    " spaces around ",
    "\ufffe\uffff\U0010ffff",
    "—" * 40,
]
JSONL_FORMS = ["v4-jsonl", "messages", "conversations", "sharegpt", "alpaca"]
CHAT_FORMS = JSONL_FORMS[1:]


def texts() -> st.SearchStrategy[str]:
    """Text with something in it to learn: a hard one, a random one, or both joined."""
    pieces = st.one_of(st.sampled_from(HARD_TEXTS), st.text(min_size=1, max_size=40))
    joined = st.lists(pieces, min_size=1, max_size=3).map("".join)
    return joined.filter(_can_train)


def _can_train(text: str) -> bool:
    has_media = any(placeholder in text for placeholder in MEDIA_PLACEHOLDERS)
    return not is_blank(text) and not ends_cut(text) and not has_media


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """A sound example: user and assistant alternate, at least the last answer trains."""
    exchanges = draw(st.lists(st.tuples(texts(), texts(), st.booleans()), min_size=1, max_size=4))
    turns = []
    for number, (user, answer, trains) in enumerate(exchanges, 1):
        turns.append(Turn("user", user))
        turns.append(Turn("assistant", answer, trains or number == len(exchanges)))
    system = draw(st.one_of(st.just(""), texts()))
    name = draw(st.sampled_from(["conv-a", "conv-b", "85d3e584-e2da-4e0f-8a19-93649ebe7eb6"]))
    return Example(tuple(turns), system, name)


def as_pairs(example: Example, *, repeat_user: bool = False) -> list[dict[str, Any]]:
    """The v4 lines of an example, on request with the user turn in the history once more."""
    pairs = [dict(pair) for pair in lines_of(example, 1)]
    for pair in pairs:
        pair["training_metadata"] = {"quality_score": 3, "human_reviewed": False}
        if repeat_user:
            current = {"turn": 99, "role": "user", "content": pair["current_user_input"]}
            pair["conversation_history"] = [*pair["conversation_history"], current]
    return pairs


def jsonl(records: list[dict[str, Any]], **options: Any) -> bytes:
    """Records as JSON Lines."""
    return "\n".join(json.dumps(record, **options) for record in records).encode()


def converted(data: bytes, to: str) -> tuple[bytes, Conversion]:
    """Convert bytes to bytes."""
    out = BytesIO()
    result = convert(BytesIO(data), to, out)
    return out.getvalue(), result


def pairs_in(data: bytes) -> list[dict[str, Any]]:
    """The v4 pairs of a JSONL file, `_meta` left out."""
    records = [json.loads(line) for line in data.split(b"\n")]
    return [record for record in records if "_meta" not in record]
