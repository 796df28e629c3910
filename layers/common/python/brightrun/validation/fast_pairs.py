"""The fast way through the formats of one pair per line: brightrun-lora-v4 and Alpaca."""

from functools import cache

import msgspec
from msgspec import UNSET

from brightrun.validation.facts import UNUSUAL, Facts, FastCheck
from brightrun.validation.separators import optional_separators, separators
from brightrun.validation.shapes import AlpacaShape, HistoryShape, V4Shape

_EMPTY = msgspec.Raw(b'""')
_encode = msgspec.json.Encoder().encode


def v4_check() -> FastCheck:
    """Return the check of brightrun-lora-v4 lines."""
    decode = msgspec.json.Decoder(V4Shape).decode

    def check(line: bytes) -> Facts | None:
        try:
            if not line.isascii():
                line.decode()
            pair = decode(line)
        except UNUSUAL:
            return None
        beyond = len(line) - line.endswith(b"\n") - len(_encode(pair))
        if beyond and beyond != _v4_separators(pair):
            return None
        history = _clean_history(pair)
        if history is None:
            return None
        system = [pair.system_prompt] if pair.system_prompt != _EMPTY else []
        said = [turn.content for turn in history]
        texts = [*system, *said, pair.current_user_input, pair.target_response]
        last = len(texts) - 1
        turns = len(said) + 2
        return Facts(texts, (last,), sum(map(len, texts)), turns, 1, pair.conversation_id)

    return check


@cache
def _exchanges(length: int) -> list[str]:
    return ["user", "assistant"] * (length // 2)


def _clean_history(pair: V4Shape) -> list[HistoryShape] | None:
    """The history without the current user turn, which may close it; None if roles are amiss."""
    history = pair.conversation_history
    if len(history) % 2:
        current = history.pop()
        if current.role != "user" or current.content != pair.current_user_input:
            return None
    return history if [turn.role for turn in history] == _exchanges(len(history)) else None


def _v4_separators(pair: V4Shape) -> int:
    history = pair.conversation_history
    per_turn = sum(6 + optional_separators(turn.emotional_state) for turn in history)
    metadata = (pair.conversation_metadata, pair.emotional_context, pair.training_metadata)
    return 19 + max(per_turn - 1, 0) + sum(map(separators, metadata))


def alpaca_check() -> FastCheck:
    """Return the check of Alpaca records without earlier exchanges."""
    decode = msgspec.json.Decoder(AlpacaShape).decode

    def check(line: bytes) -> Facts | None:
        try:
            if not line.isascii():
                line.decode()
            found = decode(line)
        except UNUSUAL:
            return None
        fields = (found.system, found.instruction, found.input, found.output)
        texts = [text for text in fields if text is not UNSET]
        beyond = len(line) - line.endswith(b"\n") - len(_encode(found))
        if beyond and beyond != 2 * len(texts) - 1:
            return None
        needed = (found.instruction, found.output)
        texts = [text for text in texts if text != _EMPTY or text in needed]
        return Facts(texts, (len(texts) - 1,), sum(map(len, texts)), 2, 1)

    return check
