"""The fast way through `messages`, conversation lines and ShareGPT."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET

from brightrun.validation.facts import UNUSUAL, Facts, FastCheck
from brightrun.validation.separators import optional_separators
from brightrun.validation.shapes import ConversationShape

_LONGEST_PATTERN = 200  # more turns go the slower way
_SYSTEM = ["system"]
_WEIGHT_BYTES = len(',"weight":0')
_encode = msgspec.json.Encoder().encode


def chat_check(shape: Any, turn_shape: Any, user: str, answer: str) -> FastCheck:
    """Return the check of a chat format with these names for its two speakers."""
    decode = msgspec.json.Decoder(shape).decode
    frame = _frames(turn_shape, user, answer)
    named = 2 if shape is ConversationShape else 0  # its conversation_id: a comma and a colon

    def check(line: bytes) -> Facts | None:
        try:
            if not line.isascii():
                line.decode()  # texts stay Raw, so that nothing else looks at their UTF-8
            found = decode(line)
        except UNUSUAL:
            return None
        turns = found.turns
        roles = [turn.role for turn in turns]
        length = len(roles)
        expected, framing = frame(length, roles[:1] == _SYSTEM)
        if roles != expected:
            return None
        texts = [turn.content for turn in turns]
        size = sum(map(len, texts))
        weights = [turn.weight for turn in turns]
        weighted = 0 if weights == _no_weights(length) else length - weights.count(UNSET)
        found.turns = []  # what is left to write again is everything but the turns
        around = len(_encode(found)) + framing + _WEIGHT_BYTES * weighted
        beyond = len(line) - line.endswith(b"\n") - size - around
        if beyond and beyond != 4 * length + 2 * weighted + named + optional_separators(
            found.metadata
        ):
            return None
        trained = _trained(weights, weighted)
        spoken = length - length % 2
        return Facts(texts, trained, size, spoken, spoken) if trained else None

    return check


def _frames(
    turn_shape: Any, user: str, answer: str
) -> Callable[[int, bool], tuple[list[str] | None, int]]:
    """The roles a sound conversation of a length has, and the bytes around the turns' texts."""

    @cache
    def frame(length: int, with_system: bool) -> tuple[list[str] | None, int]:
        exchanges, left = divmod(length - with_system, 2)
        if left or not exchanges or length > _LONGEST_PATTERN:
            return None, 0
        roles = ["system"] * with_system + [user, answer] * exchanges
        empty = [turn_shape(role, msgspec.Raw(b"0")) for role in roles]
        return roles, len(_encode(empty)) - len("[]") - length

    return frame


def _trained(weights: list[Any], weighted: int) -> Sequence[int]:
    """Places of the answers that train; none when a weight stands where nothing could train.

    The roles are as they must be, so a system message makes the number of turns odd.
    """
    system = len(weights) % 2
    answers = range(1 + system, len(weights), 2)
    if not weighted:
        return answers
    others = weights[:system] + weights[system::2]
    return [p for p in answers if weights[p] != 0] if others == _no_weights(len(others)) else ()


@cache
def _no_weights(length: int) -> list[Any]:
    return [UNSET] * length
