"""What is no JSON is told in words: what stands there, where, and what is due."""

from __future__ import annotations

import pytest

from tests.unit.validation.records import checked, found

OPENED = '{"messages": '
TOLD = {
    "None of Python": (OPENED + "None}", "None stands where null is due, column 14"),
    "True of Python": (OPENED + "True}", "True stands where true is due, column 14"),
    "False of Python": (OPENED + "False}", "False stands where false is due, column 14"),
    "undefined of JavaScript": (OPENED + "undefined}", "undefined stands where null is due"),
    "a word": (OPENED + "nope}", "a word stands without double quotes, column 14"),
    "a name without quotes": ("{messages: []}", "a word stands without double quotes, column 2"),
    "prose": ("These are records", "it does not begin with {, column 1"),
    "a zero for a value": (
        OPENED + "\x00}",
        "a NUL byte stands there, and JSON has none, column 14",
    ),
    "a zero in a text": (OPENED + '"a\x00b"}', "a NUL byte stands in a text, column 16"),
    "a tab in a text": (OPENED + '"a\tb"}', "a tab stands in a text, column 16"),
    "a control in a text": (OPENED + '"a\x01b"}', "a control character stands in a text"),
    "curly quotes of a name": (
        "{“messages”: []}",
        "curly quotes stand where double quotes are due, column 2",
    ),
    "curly quotes of a value": (OPENED + "“a”}", "curly quotes stand where double quotes are due"),
    "single quotes": ("{'messages': []}", "single quotes stand where double quotes are due"),
    "a lone brace": ("}", "a closing bracket stands without an opening one, column 1"),
    "a lone bracket": ("]", "a closing bracket stands without an opening one, column 1"),
    "a brace too many": (OPENED + "[]}}", "a closing bracket without an opening one follows"),
    "a comma at the end of an object": (OPENED + "[],}", "a comma stands before the closing"),
    "a comma at the end of an array": (OPENED + "[1,]}", "a comma stands before the closing"),
    "nothing for a value": (OPENED + "}", "a value is missing, column 14"),
    "nothing between commas": (OPENED + "[1,,2]}", "a value is missing, column 17"),
    "another sign": (OPENED + "<b>}", "< stands where a value is due, column 14"),
    "a space that is none": (OPENED + "\xa0[]}", "U+00A0 stands where a value is due, column 14"),
    "no colon": ('{"messages" []}', "a colon is due, column 13"),
    "no comma": ('{"messages": [] "a": 1}', "a comma or a closing bracket is due, column 17"),
    "a comment": ("// these are records", "a comment stands there, and JSON has none, column 1"),
    "a comment behind": (OPENED + "[]} // done", "a comment follows the end of the record"),
    "zeros behind": (OPENED + "[]}\x00", "a NUL byte follows the end of the record"),
    "a cut": (OPENED + '[{"role": "user"', "it ends before its last bracket"),
}


@pytest.mark.parametrize(("line", "told"), TOLD.values(), ids=TOLD)
def test_a_line_that_is_no_json_is_told_by_what_stands_where(line: str, told: str) -> None:
    result = checked(line.encode())
    assert found(result.errors) == [(1, "", "invalid_json")]
    assert told in result.errors[0].message
