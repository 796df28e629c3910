"""Which pairs are trained on and which are held out: whole conversations, duplicates together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from brightrun.sft.data import UNNAMED, TrainingPair
from brightrun.sft.errors import DatasetError

SPLIT_FILE = "split.json"

_NOT_A_WORD = re.compile(r"[\W_]+")

Sides = tuple[list[TrainingPair], list[TrainingPair]]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A split that was made before: the lines of the one training file that are held out.

    Lines count from 1, blank ones included; `seed` and `fraction` say how they were chosen.
    """

    version: Literal[1]
    validation_lines: list[Annotated[int, msgspec.Meta(ge=1)]]
    seed: int | None = None
    fraction: float | None = None


def read_split(text: bytes | str) -> Split:
    """A split from its JSON; DatasetError says what is wrong with it."""
    try:
        return msgspec.json.decode(text, type=Split)
    except msgspec.DecodeError as error:
        raise DatasetError(
            f"{SPLIT_FILE} cannot be used: {error}; make the split again."
        ) from error


def split_by_lines(pairs: Sequence[TrainingPair], lines: int, split: Split) -> Sides:
    """(train, validation) of a file with this many lines, as the split says.

    Rows without a conversation id are conversations of their own, whatever they open with. Raises
    DatasetError for a line that the file does not have, and for a conversation that would be
    trained on and measured on.
    """
    held_out = set(split.validation_lines)
    beyond = max(held_out, default=0)
    if beyond > lines:
        raise DatasetError(
            f"{SPLIT_FILE} holds out line {beyond} of a training file with {lines} lines; it was "
            "made for another file."
        )
    sides: Sides = ([], [])
    first: dict[str, TrainingPair] = {}
    for pair in pairs:
        sides[pair.line in held_out].append(pair)
        name = pair.conversation_id
        other = pair if name.startswith(UNNAMED) else first.setdefault(name, pair)
        if (other.line in held_out) != (pair.line in held_out):
            raise DatasetError(
                f"{SPLIT_FILE} divides the conversation {name}: of its rows "
                f"{other.source} and {pair.source}, one is held out; hold out both or neither."
            )
    return sides


def split_by_conversation(pairs: Sequence[TrainingPair], fraction: float, seed: int) -> Sides:
    """(train, validation): whole conversations are held out, chosen by seed and id alone.

    Conversations that share an exchange word for word, whatever their case and punctuation, stay
    on one side. At least one is held out when the fraction is above 0 and there are two that are
    not alike; there is always something left to train on.
    """
    groups = sorted(_alike(pairs), key=lambda names: _place(seed, min(names)))
    total = sum(len(names) for names in groups)
    wanted = min(max(1, round(fraction * total)), total - 1) if fraction > 0 else 0
    held_out: set[str] = set()
    for names in groups:
        if len(held_out) + len(names) <= wanted:
            held_out |= names
    if wanted and not held_out and len(groups) > 1:  # every group is larger than what was wanted
        held_out = min(groups, key=len)
    sides: Sides = ([], [])
    for pair in pairs:
        sides[pair.conversation_id in held_out].append(pair)
    return sides


def _place(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _alike(pairs: Sequence[TrainingPair]) -> list[set[str]]:
    """The conversations' ids; those that share an exchange, directly or over others, together."""
    group_of: dict[str, set[str]] = {}
    first: dict[bytes, str] = {}
    for pair in pairs:
        name = pair.conversation_id
        mine = group_of.setdefault(name, {name})
        other = group_of[first.setdefault(_exchange(pair), name)]
        if other is not mine:
            smaller, larger = sorted((mine, other), key=len)
            larger |= smaller
            group_of.update(dict.fromkeys(smaller, larger))
    return list({id(names): names for names in group_of.values()}.values())


def _exchange(pair: TrainingPair) -> bytes:
    """The question and its answer by their words alone, as a digest."""
    words = (_NOT_A_WORD.sub(" ", turn["content"].casefold()) for turn in pair.messages[-2:])
    return hashlib.sha256("\x00".join(words).encode()).digest()
