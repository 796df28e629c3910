"""The fast way through the formats of one pair per line: brightrun-lora-v4 and Alpaca."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec import UNSET

from brightrun.validation.asides import asides_check
from brightrun.validation.facts import Facts, FastCheck, Line
from brightrun.validation.fast_lines import line_check
from brightrun.validation.shapes import AlpacaShape, HistoryShape, Metadata, Name, V4Shape

_NOTHING = msgspec.Raw()
_EMPTY = msgspec.Raw(b'""')
_encode = msgspec.json.Encoder().encode
_METADATA = ("conversation_metadata", "emotional_context", "training_metadata")
_TURN_BYTES = {  # what stands around a turn's fields, the comma after it included
    role: len(_encode(HistoryShape(_NOTHING, role, _NOTHING))) + 1 for role in ("user", "assistant")
}
_STATE_BYTES = len(',"emotional_state":')
_V4_BYTES = len(_encode(dict.fromkeys(V4Shape.__struct_fields__, _NOTHING))) + len("[]")


def v4_check() -> FastCheck:
    """Return the check of brightrun-lora-v4 lines."""
    metadata, numbers, names = map(asides_check, (Metadata, int, Name))
    asides = [(_metadata_of, metadata), (_numbers_of, numbers), (_ids_of, names)]
    return line_check(V4Shape, asides, _v4_facts)


def _metadata_of(pairs: Sequence[V4Shape]) -> list[Any]:
    own = [getattr(pair, name) for name in _METADATA for pair in pairs]
    states = [turn.emotional_state for pair in pairs for turn in pair.conversation_history]
    return own + [state for state in states if state is not UNSET]


def _numbers_of(pairs: Sequence[V4Shape]) -> list[msgspec.Raw]:
    turns = chain.from_iterable(pair.conversation_history for pair in pairs)
    return [pair.turn_number for pair in pairs] + [turn.turn for turn in turns]


def _ids_of(pairs: Sequence[V4Shape]) -> list[msgspec.Raw]:
    return [pair.id for pair in pairs]


def _v4_facts(line: Line, pair: V4Shape) -> Facts | None:
    history = pair.conversation_history
    said = [turn.content for turn in history]
    roles = [turn.role for turn in history]
    small, separators = _small_parts(pair, roles)
    own = [pair.system_prompt, pair.current_user_input, pair.target_response]
    beyond = len(line) - small - sum(map(len, own)) - sum(map(len, said))
    if beyond and beyond != separators:
        return None
    closes = len(roles) % 2  # the current user turn may close the history
    if closes and (roles.pop() != "user" or said.pop() != pair.current_user_input):
        return None
    if roles != ["user", "assistant"] * (len(roles) // 2):
        return None
    system = own[:1] if own[0] != _EMPTY else []
    texts = [*system, *said, *own[1:]]
    return Facts(texts, (len(texts) - 1,), b"".join(texts), len(said) + 2, 1, pair.conversation_id)


def _small_parts(pair: V4Shape, roles: Sequence[str]) -> tuple[int, int]:
    """Bytes of all that is no text, and the separators between fields and turns."""
    history = pair.conversation_history
    states = [turn.emotional_state for turn in history if turn.emotional_state is not UNSET]
    turns = max(sum(map(_TURN_BYTES.__getitem__, roles)) - 1, 0)
    parts = [getattr(pair, name) for name in ("id", "turn_number", *_METADATA)]
    parts += [turn.turn for turn in history] + states
    own = _V4_BYTES + len(_encode(pair.conversation_id)) + sum(map(len, parts))
    separators = 19 + max(6 * len(history) - 1, 0) + 2 * len(states)
    return own + turns + _STATE_BYTES * len(states), separators


def alpaca_check() -> FastCheck:
    """Return the check of Alpaca records without earlier exchanges."""
    return line_check(AlpacaShape, [], _alpaca_facts)


def _alpaca_facts(line: Line, found: AlpacaShape) -> Facts | None:
    fields = (found.system, found.instruction, found.input, found.output)
    texts = [text for text in fields if text is not UNSET]
    beyond = len(line) - len(_encode(found))
    if beyond and beyond != 2 * len(texts) - 1:
        return None
    needed = (found.instruction, found.output)
    texts = [text for text in texts if text != _EMPTY or text in needed]
    return Facts(texts, (len(texts) - 1,), b"".join(texts), 2, 1)
