"""The single faults of a parsed conversation, wherever it came from and whatever it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from brightrun.domain.declared_arc import UNDECIDED, DeclaredArc
from brightrun.domain.enrichment_codes import Issue
from brightrun.domain.turn_text import is_cut_off, is_finished, literal_escape, same_words

_SHORT = 10
"""Characters below which a turn says hardly anything: the original's bound."""


def metadata_faults(document: Mapping[str, Any]) -> Iterator[Issue]:
    """What the metadata lacks."""
    metadata = document.get("conversation_metadata")
    if not isinstance(metadata, dict):
        yield Issue("MISSING_CONVERSATION_METADATA", "conversation_metadata")
        return
    for name in ("client_persona", "session_context", "conversation_phase", "expected_outcome"):
        if not _is_text(metadata.get(name)):
            yield Issue(f"MISSING_{name.upper()}", f"conversation_metadata.{name}")


def turn_faults(document: Mapping[str, Any], arc: DeclaredArc | None) -> Iterator[Issue]:
    """What is wrong with the turns, one by one and together; needs two turns to look closer."""
    turns = document.get("turns")
    if not isinstance(turns, list):
        yield Issue("MISSING_TURNS_ARRAY", "turns")
        return
    if len(turns) < 2:
        yield Issue("INSUFFICIENT_TURNS", "turns", str(len(turns)))
        return
    for index, turn in enumerate(turns):
        yield from _turn(turn if isinstance(turn, dict) else {}, index)
    if all(isinstance(turn, dict) for turn in turns):
        yield from _order(turns)
        yield from _repetitions(turns)
        if arc is not None:
            yield from _along_the_arc(turns, arc)


def _turn(turn: Mapping[str, Any], index: int) -> Iterator[Issue]:
    where = f"turns[{index}]"
    number = turn.get("turn_number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        yield Issue("INVALID_TURN_NUMBER", f"{where}.turn_number")
    elif number != index + 1:
        yield Issue("TURN_NUMBER_MISMATCH", f"{where}.turn_number", str(number))
    if turn.get("role") not in ("user", "assistant"):
        yield Issue("INVALID_ROLE", f"{where}.role")
    yield from _content(turn.get("content"), f"{where}.content")
    yield from _emotion(turn.get("emotional_context"), f"{where}.emotional_context")


def _content(content: Any, where: str) -> Iterator[Issue]:
    if not _is_text(content):
        yield Issue("MISSING_CONTENT", where)
        return
    if len(content.strip()) < _SHORT:
        yield Issue("SHORT_CONTENT", where, str(len(content.strip())))
    if is_cut_off(content):
        yield Issue("CUT_TEXT", where)
    elif not is_finished(content):
        yield Issue("UNFINISHED_TEXT", where, repr(content.strip()[-20:]))
    if escape := literal_escape(content):
        yield Issue("ESCAPE_ARTIFACT", where, escape)


def _emotion(context: Any, where: str) -> Iterator[Issue]:
    if not isinstance(context, dict):
        yield Issue("MISSING_EMOTIONAL_CONTEXT", where)
        return
    if not _is_text(context.get("primary_emotion")):
        yield Issue("MISSING_PRIMARY_EMOTION", f"{where}.primary_emotion")
    if not _is_text(context.get("secondary_emotion")):
        yield Issue("MISSING_SECONDARY_EMOTION", f"{where}.secondary_emotion")
    intensity = context.get("intensity")
    if not isinstance(intensity, int | float) or isinstance(intensity, bool):
        yield Issue("MISSING_INTENSITY", f"{where}.intensity")
    elif not 0 <= intensity <= 1:
        yield Issue("INTENSITY_OUT_OF_RANGE", f"{where}.intensity", str(intensity))
    elif intensity in (0, 1):
        yield Issue("EXTREME_INTENSITY", f"{where}.intensity", str(intensity))


def _order(turns: list[dict[str, Any]]) -> Iterator[Issue]:
    roles = [turn.get("role") for turn in turns]
    if roles[0] == "assistant":
        yield Issue("FIRST_TURN_NOT_USER", "turns[0].role")
    for index in range(1, len(roles)):
        if roles[index] == roles[index - 1]:
            yield Issue("ROLE_NOT_ALTERNATING", f"turns[{index}].role", str(roles[index]))
    if roles[-1] == "user":
        yield Issue("ENDS_ON_USER_TURN", f"turns[{len(turns) - 1}].role")


def _repetitions(turns: list[dict[str, Any]]) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for number, turn in enumerate(turns, start=1):
        said = same_words(str(turn.get("content") or ""))
        if said and said in seen:
            yield Issue("DUPLICATED_TURN", f"turns[{number - 1}].content", str(seen[said]))
        seen.setdefault(said, number)


def _along_the_arc(turns: list[dict[str, Any]], arc: DeclaredArc) -> Iterator[Issue]:
    client = [index for index, turn in enumerate(turns) if turn.get("role") == "user"]
    if not client:
        return
    ends = (
        ("ARC_START_MISMATCH", client[0], arc.starting_emotion, arc.start_fit),
        ("ARC_END_MISMATCH", client[-1], arc.ending_emotion, arc.end_fit),
    )
    for code, index, declared, fit in ends:
        context = turns[index].get("emotional_context")
        felt = context.get("primary_emotion") if isinstance(context, dict) else None
        if isinstance(felt, str) and felt.strip() and fit(felt) < UNDECIDED:
            where = f"turns[{index}].emotional_context.primary_emotion"
            yield Issue(code, where, f"{felt}, the arc with {declared}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
