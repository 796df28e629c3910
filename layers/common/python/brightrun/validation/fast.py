"""The fast way through a sound line: typed decoding, a few comparisons, nothing copied.

Each check takes one line and returns its Facts, or None when anything at all is unusual; None
means "look closer", never "wrong".  Repeated keys are found by length: a line has exactly the bytes
of its decoded value written out again, plus one space per separator where the writer put spaces.
(A line crafted to leave out just as many spaces as its repeated key adds would pass; what counts
then is the last value, as in every JSON parser.)
"""

from collections.abc import Callable
from functools import cache

from brightrun.formats.model import Form
from brightrun.validation.facts import FastCheck
from brightrun.validation.fast_chat import chat_check
from brightrun.validation.fast_pairs import alpaca_check, v4_check
from brightrun.validation.shapes import (
    ConversationShape,
    MessageShape,
    MessagesShape,
    ShareGptShape,
    SpokenShape,
)


@cache
def fast_check(form: Form) -> FastCheck:
    """Return the check of a format; it is built once and keeps no state of a file."""
    build: dict[Form, Callable[[], FastCheck]] = {
        Form.MESSAGES: lambda: chat_check(MessagesShape, MessageShape, "user", "assistant"),
        Form.CONVERSATIONS: lambda: chat_check(
            ConversationShape, MessageShape, "user", "assistant"
        ),
        Form.SHAREGPT: lambda: chat_check(ShareGptShape, SpokenShape, "human", "gpt"),
        Form.V4_JSONL: v4_check,
        Form.ALPACA: alpaca_check,
    }
    return build[form]()
