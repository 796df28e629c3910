from __future__ import annotations

import pytest

from brightrun.conversations.model import is_cut_off, is_finished, literal_escape, same_words


@pytest.mark.parametrize("text", ["it's not \\", "making the \\  \n"])
def test_a_backslash_at_the_end_is_a_cut(text: str) -> None:
    assert is_cut_off(text)


@pytest.mark.parametrize(
    "text",
    [
        "Done.",
        "Really?",
        "He said \u201cyes.\u201d",
        "(It is.)",
        "Good luck! \U0001f600",
        "Well\u2026",
        "**Call them.**",
        "\u6211\u4f1a\u7684\u3002",
    ],
)
def test_a_sentence_that_ends_is_finished(text: str) -> None:
    assert is_finished(text)


@pytest.mark.parametrize("text", ["because the", "first, second,", "and then -", "C:\\", "(or"])
def test_a_text_that_breaks_off_is_not_finished(text: str) -> None:
    assert not is_finished(text)


@pytest.mark.parametrize(
    ("text", "escape"),
    [("one\\n\\ntwo", "\\n"), ('so \\"they\\" say', '\\"'), ("\\u2019s", "\\u2019")],
)
def test_escapes_in_the_text_are_found(text: str, escape: str) -> None:
    assert literal_escape(text) == escape


def test_real_line_breaks_quotes_and_paths_are_no_escapes() -> None:
    assert literal_escape('a\nb "c" C:\\Data') is None


def test_case_and_spacing_do_not_make_another_text() -> None:
    assert same_words("I  Hear\nyou") == same_words("i hear you")
