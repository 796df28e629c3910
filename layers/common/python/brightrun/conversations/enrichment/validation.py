"""Validates parsed conversations; every issue has a code, a severity and often a suggestion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from brightrun.conversations.emotions import UNDECIDED, DeclaredArc
from brightrun.conversations.model import (
    LONGEST_EMOTION,
    is_cut_off,
    is_finished,
    literal_escape,
    parse_json,
    same_words,
)
from brightrun.conversations.quality.model import TurnFlag

Severity = Literal["blocker", "warning"]


class Code(NamedTuple):
    """A kind of issue; `{found}` in `message` is replaced by the value that was found."""

    severity: Severity
    message: str
    suggestion: str | None = None


_EDIT = "Edit the turn, or reject the conversation."
_AGAIN = "Generate the conversation again, or correct the file and import it."
# The first twenty are v1's; the others check what v1's documentation lists as missing.
CODES: Mapping[str, Code] = {
    "INVALID_JSON_SYNTAX": Code("blocker", "The file is not JSON: {found}.", _AGAIN),
    "MISSING_CONVERSATION_METADATA": Code("blocker", "There is no conversation_metadata.", _AGAIN),
    "MISSING_TURNS_ARRAY": Code("blocker", "There is no list of turns.", _AGAIN),
    "INSUFFICIENT_TURNS": Code("blocker", "There are {found} turns; two are the least.", _AGAIN),
    "MISSING_CLIENT_PERSONA": Code("blocker", "The client is not described.", _AGAIN),
    "MISSING_SESSION_CONTEXT": Code("blocker", "The context of the session is missing.", _AGAIN),
    "MISSING_CONVERSATION_PHASE": Code(
        "blocker", "The phase of the conversation is missing.", _AGAIN
    ),
    "INVALID_TURN_NUMBER": Code("blocker", "The turn's number is not a whole number from 1."),
    "INVALID_ROLE": Code("blocker", "The role is neither user nor assistant."),
    "MISSING_CONTENT": Code("blocker", "The turn has no text.", _EDIT),
    "MISSING_EMOTIONAL_CONTEXT": Code("blocker", "The turn has no emotional_context."),
    "MISSING_PRIMARY_EMOTION": Code("blocker", "The turn names no primary emotion."),
    "EMOTION_TOO_LONG": Code(
        "blocker",
        f"The turn names an emotion with {{found}} characters; {LONGEST_EMOTION} are the most.",
    ),
    "MISSING_INTENSITY": Code("blocker", "The turn's emotion has no intensity."),
    "INTENSITY_OUT_OF_RANGE": Code("blocker", "The intensity {found} is not between 0 and 1."),
    "MISSING_EXPECTED_OUTCOME": Code(
        "warning", "The expected outcome is missing.", "A general sentence is used."
    ),
    "TURN_NUMBER_MISMATCH": Code(
        "warning", "The turn is numbered {found}, which is not its position."
    ),
    "ROLE_NOT_ALTERNATING": Code("warning", "The {found} speaks twice in a row.", _EDIT),
    "SHORT_CONTENT": Code("warning", "The turn has only {found} characters; 10 are the least."),
    "EXTREME_INTENSITY": Code("warning", "The intensity is exactly {found}."),
    "MISSING_SECONDARY_EMOTION": Code("warning", "The turn names no secondary emotion."),
    "FIRST_TURN_NOT_USER": Code(
        "blocker", "The first turn is not the user's, so nothing asks for its answer.", _AGAIN
    ),
    "ENDS_ON_USER_TURN": Code(
        "warning", "The last turn is the user's and has no answer; it is not trained on."
    ),
    "ESCAPE_ARTIFACT": Code(
        "warning", "The text holds the escape {found} where a character belongs.", _EDIT
    ),
    "TOO_LONG": Code(
        "blocker",
        "With the earlier turns that every pair repeats, the file would have {found} characters.",
        "Split the conversation, and import its parts.",
    ),
    "CUT_TEXT": Code("blocker", "The text was cut off: it ends in a backslash.", _EDIT),
    "UNFINISHED_TEXT": Code("warning", "The text does not end as a sentence does: {found}.", _EDIT),
    "DUPLICATED_TURN": Code("warning", "The turn repeats turn {found}.", _EDIT),
    "ARC_START_MISMATCH": Code(
        "warning", "The client begins with {found}.", "Check the turn's emotion against the arc."
    ),
    "ARC_END_MISMATCH": Code(
        "warning", "The client ends with {found}.", "Check the turn's emotion against the arc."
    ),
}
FLAGGED: Mapping[str, str] = {
    "CUT_TEXT": "cut_text",
    "ESCAPE_ARTIFACT": "escape_artifact",
    "DUPLICATED_TURN": "duplicated_turn",
    "ENDS_ON_USER_TURN": "ends_on_user_turn",
}
"""Issues that a reviewer must see before the conversation is trained on, and their flags."""
_IN_TURN = re.compile(r"turns\[(\d+)\]")


_LONGEST_FOUND = 200
"""Characters of a value that a message quotes; a row has room for 400 KB."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue, and its field, such as `turns[2].content`."""

    code: str
    field: str
    found: str = ""

    @property
    def message(self) -> str:
        """The kind's sentence, with the beginning of the value that was found."""
        return CODES[self.code].message.format(found=self.found[:_LONGEST_FOUND])

    def report(self) -> dict[str, str]:
        """Return the issue in the format of v1."""
        kind = CODES[self.code]
        report = {
            "code": self.code,
            "severity": kind.severity,
            "field": self.field,
            "message": self.message,
        }
        return report | ({"suggestion": kind.suggestion} if kind.suggestion else {})

    def flag(self) -> TurnFlag | None:
        """The flag of the turn; None for issues that are none."""
        turn = _IN_TURN.match(self.field)
        if turn is None or self.code not in FLAGGED:
            return None
        return TurnFlag(FLAGGED[self.code], int(turn[1]) + 1, self.message)


_SHORT = 10
"""Fewest characters of a turn without a warning, as in v1."""


def _metadata_issues(document: Mapping[str, Any]) -> Iterator[Issue]:
    """Check the metadata."""
    metadata = document.get("conversation_metadata")
    if not isinstance(metadata, dict):
        yield Issue("MISSING_CONVERSATION_METADATA", "conversation_metadata")
        return
    for name in ("client_persona", "session_context", "conversation_phase", "expected_outcome"):
        if not _is_text(metadata.get(name)):
            yield Issue(f"MISSING_{name.upper()}", f"conversation_metadata.{name}")


def _turn_issues(document: Mapping[str, Any], arc: DeclaredArc | None) -> Iterator[Issue]:
    """Check each turn and their sequence; fewer than two turns are not checked further."""
    turns = document.get("turns")
    if not isinstance(turns, list):
        yield Issue("MISSING_TURNS_ARRAY", "turns")
        return
    if len(turns) < 2:
        yield Issue("INSUFFICIENT_TURNS", "turns", str(len(turns)))
        return
    yield from _length(turns)
    for index, turn in enumerate(turns):
        yield from _turn(turn if isinstance(turn, dict) else {}, index)
    if all(isinstance(turn, dict) for turn in turns):
        yield from _order(turns)
        yield from _repetitions(turns)
        if arc is not None:
            yield from _along_the_arc(turns, arc)


MOST_CHARACTERS = 20_000_000
"""Characters of an enriched file: 200 turns of 1,000 characters each, which its function can hold.
They grow with the square of the turns, since every pair repeats the turns before it."""
_BESIDE_THE_TEXT = 200
"""Characters of a turn in a history beside its text: names, emotions, indentation."""


def _length(turns: list[Any]) -> Iterator[Issue]:
    characters, repeated = 0, 0
    for turn in turns:
        repeated += characters
        content = turn.get("content") if isinstance(turn, dict) else None
        characters += _BESIDE_THE_TEXT + (len(content) if isinstance(content, str) else 0)
    if repeated + characters > MOST_CHARACTERS:
        yield Issue("TOO_LONG", "turns", f"{repeated + characters:,}")


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
    for name in ("primary_emotion", "secondary_emotion"):
        if len(str(context.get(name))) > LONGEST_EMOTION:
            yield Issue("EMOTION_TOO_LONG", f"{where}.{name}", f"{len(str(context[name])):,}")
    yield from _intensity(context.get("intensity"), f"{where}.intensity")


def _intensity(intensity: Any, where: str) -> Iterator[Issue]:
    if not isinstance(intensity, int | float) or isinstance(intensity, bool):
        yield Issue("MISSING_INTENSITY", where)
    elif not 0 <= intensity <= 1:
        yield Issue("INTENSITY_OUT_OF_RANGE", where, str(intensity))
    elif intensity in (0, 1):
        yield Issue("EXTREME_INTENSITY", where, str(intensity))


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
        text = same_words(str(turn.get("content") or ""))
        if text and text in seen:
            yield Issue("DUPLICATED_TURN", f"turns[{number - 1}].content", str(seen[text]))
        seen.setdefault(text, number)


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
        emotion = context.get("primary_emotion") if isinstance(context, dict) else None
        if isinstance(emotion, str) and emotion.strip() and fit(emotion) < UNDECIDED:
            where = f"turns[{index}].emotional_context.primary_emotion"
            yield Issue(code, where, f"{emotion}, the arc with {declared}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


_MOST_REPORTED = 50
"""Most issues of each severity in a report, which is part of a row of at most 400 KB."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The conversation, or None if it could not be parsed, and its issues."""

    document: dict[str, Any] | None
    issues: tuple[Issue, ...]

    @property
    def blockers(self) -> list[Issue]:
        """Issues that prevent the enrichment."""
        return [issue for issue in self.issues if CODES[issue.code].severity == "blocker"]

    @property
    def warnings(self) -> list[Issue]:
        """Issues that do not prevent the enrichment."""
        return [issue for issue in self.issues if CODES[issue.code].severity == "warning"]

    @property
    def flags(self) -> list[TurnFlag]:
        """The flags of issues that a reviewer must see."""
        return [flag for issue in self.issues if (flag := issue.flag())]

    def report(self, conversation_id: str, validated_at: str) -> dict[str, Any]:
        """Return the validation report in v1's format, with at most 50 issues of each severity."""
        blockers, warnings = self.blockers, self.warnings
        verdict = "cannot be enriched" if blockers else "can be enriched"
        return {
            "isValid": not blockers,
            "hasBlockers": bool(blockers),
            "hasWarnings": bool(warnings),
            "blockers": [issue.report() for issue in blockers[:_MOST_REPORTED]],
            "warnings": [issue.report() for issue in warnings[:_MOST_REPORTED]],
            "conversationId": conversation_id,
            "validatedAt": validated_at,
            "summary": f"It {verdict}: {len(blockers)} blockers, {len(warnings)} warnings.",
        }


def validate(text: str, arc: DeclaredArc | None) -> Validation:
    """Parse a stored conversation and list its issues; `arc` is None if none was declared."""
    try:
        document = parse_json(text)
    except (ValueError, RecursionError) as error:
        return Validation(None, (Issue("INVALID_JSON_SYNTAX", "", str(error)),))
    if not isinstance(document, dict):
        return Validation(None, (Issue("INVALID_JSON_SYNTAX", "", "it is not an object"),))
    return Validation(document, (*_metadata_issues(document), *_turn_issues(document, arc)))
