"""Strict rendering: every placeholder has a value, or nothing is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.core.errors import (
    InvalidInputError,
    TemplateSyntaxError,
    TemplateTooLongError,
    UnresolvedPlaceholderError,
)
from brightrun.scaffolding.templates import MAX_RESOLVED_CHARS, placeholders, render, require_known

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}(\.[A-Za-z_][A-Za-z0-9_]{0,5})?", fullmatch=True)
# Filler without braces at its ends, so that it cannot lengthen a neighbour's braces.
FILLER = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=30)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50).filter(
    lambda text: text.strip()
)


def test_placeholders_take_their_values() -> None:
    text = "{{who}} asks {{ topic.name }}, says {{who}}."
    assert render(text, "t", {"who": "Ada", "topic.name": "why"}) == "Ada asks why, says Ada."


def test_placeholders_are_named_once_in_order() -> None:
    assert placeholders("{{b}} {{a}} {{b}} {{a.c}}", "t") == ("b", "a", "a.c")


def test_single_braces_are_text() -> None:
    assert render("{a} } { {{b}}", "t", {"b": "x"}) == "{a} } { x"


def test_every_placeholder_without_a_value_is_named() -> None:
    with pytest.raises(UnresolvedPlaceholderError) as refusal:
        render("{{known}} {{lost}} {{blank}} {{lost}}", "My template", {"known": "x", "blank": " "})
    assert refusal.value.details == {"template": "My template", "placeholders": ["lost", "blank"]}
    assert "My template" in refusal.value.message
    assert "{{lost}}, {{blank}}" in refusal.value.message


def test_braces_inside_a_value_stay_as_they_are() -> None:
    values = {"name": "{{secret}}", "secret": "hidden"}
    assert render("Hello {{name}}", "t", values) == "Hello {{secret}}"


@pytest.mark.parametrize(
    ("text", "line", "column", "fault"),
    [
        ("abc {{name", 1, 5, "without its"),
        ("one\ntwo }} three", 2, 5, "without '{{'"),
        ("{{a {{b}}", 1, 1, "without its"),
        ("a\n\n  {{}}", 3, 3, "one name"),
        ("{{two words}}", 1, 1, "one name"),
        ("{{yes ? 'a' : 'b'}}", 1, 1, "one name"),
        ("{{{name}}}", 1, 1, "one name"),
        ("{{a.}}", 1, 1, "one name"),
        ("{{name}}}}", 1, 9, "without '{{'"),
    ],
)
def test_malformed_braces_are_refused_with_their_position(
    text: str, line: int, column: int, fault: str
) -> None:
    with pytest.raises(TemplateSyntaxError, match=fault) as refusal:
        placeholders(text, "My template")
    assert refusal.value.details == {"template": "My template", "line": line, "column": column}
    assert f"line {line}, column {column}" in refusal.value.message


def test_a_prompt_over_its_bound_is_refused() -> None:
    longest = "x" * MAX_RESOLVED_CHARS
    assert render("{{text}}", "t", {"text": longest}) == longest
    with pytest.raises(TemplateTooLongError, match=r"40,001 characters; 40,000 is the most"):
        render("{{text}}!", "t", {"text": longest})


def test_an_unknown_placeholder_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError) as refusal:
        require_known("{{a}} {{x}} {{y}}", "My template", {"b": 1, "a": 1})
    assert "{{x}}, {{y}}" in refusal.value.message
    assert "a, b" in refusal.value.message
    assert [fault["field"] for fault in refusal.value.details] == ["template_text"] * 2


@given(st.lists(st.tuples(FILLER, NAMES), max_size=8), FILLER, st.data())
def test_rendering_is_plain_substitution(
    pieces: list[tuple[str, str]], tail: str, data: st.DataObject
) -> None:
    values = {name: data.draw(VALUES) for _, name in pieces}
    text = "".join(f"{filler}{{{{{name}}}}}" for filler, name in pieces) + tail
    expected = "".join(filler + values[name] for filler, name in pieces) + tail
    assert render(text, "t", values) == expected
    assert placeholders(text, "t") == tuple(dict.fromkeys(name for _, name in pieces))


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), st.data())
def test_whatever_is_missing_is_named_and_nothing_else(
    names: list[str], data: st.DataObject
) -> None:
    missing = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    values = {name: "x" for name in names if name not in missing}
    with pytest.raises(UnresolvedPlaceholderError) as refusal:
        render(" ".join(f"{{{{{name}}}}}" for name in names), "t", values)
    assert set(refusal.value.details["placeholders"]) == set(missing)


@given(st.text(st.sampled_from("{}ab. \n"), max_size=40))
def test_any_text_renders_without_placeholders_left_or_is_refused(text: str) -> None:
    try:
        names = placeholders(text, "t")
    except TemplateSyntaxError as refusal:
        assert 1 <= refusal.details["line"] <= text.count("\n") + 1
        return
    rendered = render(text, "t", dict.fromkeys(names, "v"))
    assert "{{" not in rendered
    assert "}}" not in rendered
