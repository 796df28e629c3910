"""What counts as no text, and as text that was cut off; the same in every format and tool."""

import re

INVISIBLE = (
    "\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
"""A regex class of what shows nothing: controls, zero-width characters, fillers, joiners, tags."""
_BLANK = re.compile(rf"[\s{INVISIBLE}]*")
MEDIA_PLACEHOLDERS = ("<image>", "<video>", "<audio>")
"""Where an image or a sound stood in a text; a model that reads text would learn the word."""


def is_blank(text: str) -> bool:
    """True for a text that shows nothing: it never trains."""
    return _BLANK.fullmatch(text) is not None


def ends_cut(answer: str) -> bool:
    """True for an answer that ends in a backslash, the mark of text cut inside an escape."""
    return answer.rstrip().endswith("\\")
