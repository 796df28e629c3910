"""Characters that no reader sees, as regex classes: the same in names and in conversations."""

import re

INVISIBLE = (
    "\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
"""What shows nothing: controls, zero-width characters, fillers, joiners, tags. Equal to the class
of `formats.text`, by test: the training image has `formats`, and nothing of `core`."""
CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""The controls C0 and C1 but for tab, newline and carriage return."""
BIDIRECTIONAL = r"\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates, which can show a text in another order than it has. The
marks of Arabic and Hebrew, U+200E and U+200F, cannot."""


def in_one_line(text: str) -> str:
    """The text as a name: one line, without controls and characters that change its direction."""
    shown = re.sub(f"[{CONTROLS}{BIDIRECTIONAL}]", "", text)
    return " ".join(shown.split()) if re.search(rf"[^\s{INVISIBLE}]", shown) else ""
