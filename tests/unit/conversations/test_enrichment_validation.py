from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.enrichment.validation import CODES, Validation, validate
from tests import builders as build
from tests.fakes import scaffolding

ARC = declared_arc(scaffolding.arc("confusion_to_clarity"))
Document = dict[str, Any]


def good() -> Document:
    document = build.a_conversation(2)
    for turn in document["turns"]:
        turn["emotional_context"]["secondary_emotion"] = "hope"
    document["turns"][2]["emotional_context"]["primary_emotion"] = "clarity"
    return document


def validated(document: Any) -> Validation:
    return validate(json.dumps(document), ARC)


def codes(document: Any) -> list[str]:
    return [issue.code for issue in validated(document).issues]


def at(index: int, **fields: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["turns"][index] |= fields

    return change


def feeling(index: int, **fields: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["turns"][index]["emotional_context"] |= fields

    return change


def without(*path: str | int) -> Callable[[Document], None]:
    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        del document[path[-1]]

    return change


def keep(count: int) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        del document["turns"][count:]

    return change


FAULTS: dict[str, tuple[Callable[[Document], None], str]] = {
    "MISSING_CONVERSATION_METADATA": (without("conversation_metadata"), "conversation_metadata"),
    "MISSING_TURNS_ARRAY": (without("turns"), "turns"),
    "INSUFFICIENT_TURNS": (keep(1), "turns"),
    "MISSING_CLIENT_PERSONA": (
        without("conversation_metadata", "client_persona"),
        "conversation_metadata.client_persona",
    ),
    "MISSING_SESSION_CONTEXT": (
        without("conversation_metadata", "session_context"),
        "conversation_metadata.session_context",
    ),
    "MISSING_CONVERSATION_PHASE": (
        without("conversation_metadata", "conversation_phase"),
        "conversation_metadata.conversation_phase",
    ),
    "MISSING_EXPECTED_OUTCOME": (
        without("conversation_metadata", "expected_outcome"),
        "conversation_metadata.expected_outcome",
    ),
    "INVALID_TURN_NUMBER": (at(1, turn_number="2"), "turns[1].turn_number"),
    "TURN_NUMBER_MISMATCH": (at(1, turn_number=7), "turns[1].turn_number"),
    "INVALID_ROLE": (at(1, role="system"), "turns[1].role"),
    "MISSING_CONTENT": (at(2, content="  "), "turns[2].content"),
    "SHORT_CONTENT": (at(2, content="Oh no."), "turns[2].content"),
    "CUT_TEXT": (at(3, content="It is all about the \\"), "turns[3].content"),
    "UNFINISHED_TEXT": (at(3, content="It is all about the"), "turns[3].content"),
    "ESCAPE_ARTIFACT": (at(3, content="First this.\\n\\nThen that."), "turns[3].content"),
    "DUPLICATED_TURN": (at(3, content="this is what is SAID in turn 2."), "turns[3].content"),
    "MISSING_EMOTIONAL_CONTEXT": (
        without("turns", 1, "emotional_context"),
        "turns[1].emotional_context",
    ),
    "MISSING_PRIMARY_EMOTION": (
        without("turns", 1, "emotional_context", "primary_emotion"),
        "turns[1].emotional_context.primary_emotion",
    ),
    "MISSING_SECONDARY_EMOTION": (
        without("turns", 1, "emotional_context", "secondary_emotion"),
        "turns[1].emotional_context.secondary_emotion",
    ),
    "EMOTION_TOO_LONG": (
        feeling(1, secondary_emotion="joy" * 34),
        "turns[1].emotional_context.secondary_emotion",
    ),
    "TOO_LONG": (at(1, content="word " * 5_000_000), "turns"),
    "MISSING_INTENSITY": (
        without("turns", 1, "emotional_context", "intensity"),
        "turns[1].emotional_context.intensity",
    ),
    "INTENSITY_OUT_OF_RANGE": (
        feeling(1, intensity=1.2),
        "turns[1].emotional_context.intensity",
    ),
    "EXTREME_INTENSITY": (feeling(1, intensity=0), "turns[1].emotional_context.intensity"),
    "ROLE_NOT_ALTERNATING": (at(2, role="assistant"), "turns[2].role"),
    "ENDS_ON_USER_TURN": (keep(3), "turns[2].role"),
    "ARC_START_MISMATCH": (
        feeling(0, primary_emotion="clarity"),
        "turns[0].emotional_context.primary_emotion",
    ),
    "ARC_END_MISMATCH": (
        feeling(2, primary_emotion="confused"),
        "turns[2].emotional_context.primary_emotion",
    ),
}


def test_a_good_conversation_has_no_faults() -> None:
    assert codes(good()) == []


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_each_fault_is_found_where_it_is(code: str) -> None:
    change, field = FAULTS[code]
    document = good()
    change(document)
    found = [(issue.code, issue.field) for issue in validated(document).issues]
    assert (code, field) in found


def test_a_first_turn_by_the_consultant_is_found() -> None:
    document = good()
    document["turns"] = document["turns"][1:]
    assert "FIRST_TURN_NOT_USER" in codes(document)


def test_every_code_of_the_table_can_be_found() -> None:
    assert {*FAULTS, "INVALID_JSON_SYNTAX", "FIRST_TURN_NOT_USER"} == CODES.keys()


@pytest.mark.parametrize("text", ["{", "[]", '"text"', '{"a": "\\ud800"}', "[" * 100_000])
def test_what_is_no_json_object_of_text_is_refused(text: str) -> None:
    validation = validate(text, ARC)
    assert [issue.code for issue in validation.issues] == ["INVALID_JSON_SYNTAX"]
    assert validation.document is None


@pytest.mark.parametrize("turns", [[1, 2], ["a", None], [{}, {}], [[], []]])
def test_turns_of_any_shape_are_reported_and_never_a_crash(turns: list[Any]) -> None:
    assert "MISSING_CONTENT" in codes({**good(), "turns": turns})


@pytest.mark.parametrize("value", [float("nan"), True, "0.5", None])
def test_an_intensity_is_a_number(value: object) -> None:
    document = good()
    document["turns"][0]["emotional_context"]["intensity"] = value
    assert {"MISSING_INTENSITY", "INTENSITY_OUT_OF_RANGE"} & set(codes(document))


def test_without_an_arc_no_emotion_is_a_mismatch() -> None:
    document = good()
    feeling(0, primary_emotion="clarity")(document)
    assert validate(json.dumps(document), None).issues == ()


def test_a_feeling_that_only_resembles_the_arc_is_let_pass() -> None:
    document = good()
    feeling(0, primary_emotion="anxiety")(document)
    feeling(2, primary_emotion="curiosity")(document)
    assert codes(document) == []


def test_the_report_has_the_originals_shape() -> None:
    document = good()
    at(3, content="It is all about the \\")(document)
    without("conversation_metadata", "expected_outcome")(document)
    report = validated(document).report("conversation-1", "2026-11-21T12:00:00.000Z")
    assert list(report) == [
        "isValid",
        "hasBlockers",
        "hasWarnings",
        "blockers",
        "warnings",
        "conversationId",
        "validatedAt",
        "summary",
    ]
    assert (report["isValid"], report["hasBlockers"], report["hasWarnings"]) == (False, True, True)
    assert report["blockers"] == [
        {
            "code": "CUT_TEXT",
            "severity": "blocker",
            "field": "turns[3].content",
            "message": "The text was cut off: it ends in a backslash.",
            "suggestion": "Edit the turn, or reject the conversation.",
        }
    ]
    assert report["summary"] == "It cannot be enriched: 1 blockers, 1 warnings."


def test_warnings_alone_leave_a_conversation_valid() -> None:
    document = good()
    keep(3)(document)
    report = validated(document).report("conversation-1", "now")
    assert (report["isValid"], report["hasWarnings"]) == (True, True)


def test_a_report_of_a_long_conversation_stays_small() -> None:
    document = good()
    turn = copy.deepcopy(document["turns"][0])
    document["turns"] = [turn] * 500
    report = validated(document).report("conversation-1", "now")
    assert len(report["warnings"]) == 50
    assert len(json.dumps(report)) < 30_000


def test_flags_name_what_a_reviewer_must_see() -> None:
    document = good()
    at(1, content="First this.\\nThen the \\")(document)
    flags = [(flag.code, flag.turn_number) for flag in validated(document).flags]
    assert flags == [("cut_text", 2), ("escape_artifact", 2)]
