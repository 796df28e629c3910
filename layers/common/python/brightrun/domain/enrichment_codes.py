"""Every fault that the validation of a conversation can find: code, severity, words, way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["blocker", "warning"]


class Code(NamedTuple):
    """A kind of fault; `message` may name what was found in braces."""

    severity: Severity
    message: str
    suggestion: str | None = None


_EDIT = "Edit the turn, or reject the conversation."
_AGAIN = "Generate the conversation again, or mend the file and import it."

# The first twenty are the original's (its part 6); the rest close the gaps it names itself.
CODES: Mapping[str, Code] = {
    "INVALID_JSON_SYNTAX": Code("blocker", "The file is not JSON: {found}.", _AGAIN),
    "MISSING_CONVERSATION_METADATA": Code("blocker", "There is no conversation_metadata.", _AGAIN),
    "MISSING_TURNS_ARRAY": Code("blocker", "There is no list of turns.", _AGAIN),
    "INSUFFICIENT_TURNS": Code("blocker", "There are {found} turns; two are the least.", _AGAIN),
    "MISSING_CLIENT_PERSONA": Code("blocker", "It does not say who the client is.", _AGAIN),
    "MISSING_SESSION_CONTEXT": Code("blocker", "It does not say when and why they talk.", _AGAIN),
    "MISSING_CONVERSATION_PHASE": Code("blocker", "It names no phase.", _AGAIN),
    "INVALID_TURN_NUMBER": Code("blocker", "The turn's number is not a whole number from 1."),
    "INVALID_ROLE": Code("blocker", "The role is neither user nor assistant."),
    "MISSING_CONTENT": Code("blocker", "The turn says nothing.", _EDIT),
    "MISSING_EMOTIONAL_CONTEXT": Code("blocker", "The turn has no emotional_context."),
    "MISSING_PRIMARY_EMOTION": Code("blocker", "The turn names no primary emotion."),
    "MISSING_INTENSITY": Code("blocker", "The turn's emotion has no intensity."),
    "INTENSITY_OUT_OF_RANGE": Code("blocker", "The intensity {found} is not between 0 and 1."),
    "MISSING_EXPECTED_OUTCOME": Code(
        "warning", "It does not say what the client leaves with.", "A general sentence is used."
    ),
    "TURN_NUMBER_MISMATCH": Code("warning", "The turn is numbered {found}, its place says other."),
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
"""Faults that a reviewer must see before anything is trained on the conversation."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault, and where it is, such as `turns[2].content`."""

    code: str
    field: str
    found: str = ""

    def report(self) -> dict[str, str]:
        """Write the fault as the original does."""
        kind = CODES[self.code]
        written = {
            "code": self.code,
            "severity": kind.severity,
            "field": self.field,
            "message": kind.message.format(found=self.found),
        }
        return written | ({"suggestion": kind.suggestion} if kind.suggestion else {})
