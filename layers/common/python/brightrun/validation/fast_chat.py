"""The fast way through `messages`, conversation lines and ShareGPT."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from brightrun.validation.asides import asides_check
from brightrun.validation.facts import UNUSUAL, Facts, FastCheck, Line
from brightrun.validation.fast_lines import Asides, line_check
from brightrun.validation.shapes import (
    ConversationShape,
    MessageShape,
    MessagesShape,
    Metadata,
    Name,
    ShareGptShape,
    SpokenShape,
)

_LONGEST_PATTERN = 200  # more turns go the slower way
_WEIGHT_BYTES = len(',"weight":0')
_encode = msgspec.json.Encoder().encode
_decode_name = msgspec.json.Decoder(str).decode


class _Frame(NamedTuple):
    """What stands around the texts of a conversation: bytes, separators, and the answers."""

    size: int
    separators: int
    answers: range
    spoken: int


def _metadata_of(founds: Sequence[Any]) -> list[msgspec.Raw]:
    return [found.metadata for found in founds if found.metadata is not UNSET]


def _ids_of(founds: Sequence[Any]) -> list[msgspec.Raw]:
    return [found.conversation_id for found in founds]


def messages_check() -> FastCheck:
    """Return the check of `messages` lines."""
    asides = [(_metadata_of, asides_check(Metadata))]
    return _chat_check(MessagesShape, MessageShape, asides, ("user", "assistant"))


def sharegpt_check() -> FastCheck:
    """Return the check of ShareGPT records."""
    asides = [(_metadata_of, asides_check(str))]
    return _chat_check(ShareGptShape, SpokenShape, asides, ("human", "gpt"))


def conversation_check() -> FastCheck:
    """Return the check of conversation lines."""
    asides = [(_metadata_of, asides_check(Metadata)), (_ids_of, asides_check(Name))]
    return _chat_check(ConversationShape, MessageShape, asides, ("user", "assistant"))


def _chat_check(
    shape: Any, turn_shape: Any, asides: Sequence[Asides], speakers: tuple[str, str]
) -> FastCheck:
    named = {"conversation_id": msgspec.Raw()} if shape is ConversationShape else {}
    around = len(_encode(shape(turns=[], **named)))
    aside = len(_encode(shape(turns=[], metadata=msgspec.Raw(), **named))) - around
    frames: dict[tuple[str, ...], _Frame] = {}

    def frame_of(roles: tuple[str, ...]) -> _Frame | None:
        frame = _frame(roles, turn_shape, speakers, around, 2 * len(named))
        if frame is not None:
            frames[roles] = frame
        return frame

    def facts_of(line: Line, found: Any) -> Facts | None:
        turns = found.turns
        roles = tuple([turn.role for turn in turns])
        frame = frames.get(roles) or frame_of(roles)
        if frame is None:
            return None
        texts = [turn.content for turn in turns]
        joined = b"".join(texts)
        size, separators, answers, spoken = frame
        beyond, group = len(line) - len(joined) - size, ""
        if named:
            beyond, group = beyond - len(found.conversation_id), _name(found.conversation_id)
        if found.metadata is not UNSET:
            beyond -= len(found.metadata) + aside
            separators += 2
        if beyond and beyond != separators:
            trained = _weighed(turns, answers, beyond, separators)
            return Facts(texts, trained, joined, spoken, spoken, group) if trained else None
        return Facts(texts, answers, joined, spoken, spoken, group)

    return line_check(shape, asides, facts_of)


def _name(written: msgspec.Raw) -> str:
    """The id of a conversation; what is none is found with the asides."""
    try:
        return _decode_name(written)
    except UNUSUAL:
        return ""


def _frame(
    roles: tuple[str, ...], turn_shape: Any, speakers: tuple[str, str], around: int, named: int
) -> _Frame | None:
    """The frame of a conversation in which these speak in turn; None if they should not."""
    first = int(roles[:1] == ("system",))
    exchanges, left = divmod(len(roles) - first, 2)
    expected = ("system",) * first + speakers * exchanges
    if left or not exchanges or len(roles) > _LONGEST_PATTERN or roles != expected:
        return None
    empty = [turn_shape(role, msgspec.Raw()) for role in roles]
    size = around + len(_encode(empty)) - len("[]")
    return _Frame(size, 4 * len(roles) + named, range(1 + first, len(roles), 2), 2 * exchanges)


def _weighed(turns: Sequence[Any], answers: range, beyond: int, separators: int) -> list[int]:
    """Places of the answers that train by their weights; none if the weights are not all there is.

    Weights on other turns, where nothing could train, are looked at closely.
    """
    weights = [turn.weight for turn in turns]
    count = len(weights) - weights.count(UNSET)
    on_answers = len(answers) - sum(weights[place] is UNSET for place in answers)
    spaces = beyond - _WEIGHT_BYTES * count
    if not count or count != on_answers or (spaces and spaces != separators + 2 * count):
        return []
    return [place for place in answers if weights[place] != 0]
