"""Short lines that recur are read once, and the result is that of reading each of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightrun.formats.reader import RecordReader
from brightrun.validation import block_scanner
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import Options, validate
from tests.effort import effort
from tests.unit.validation.records import alpaca, found, lines, question

LINES = [
    b"",
    b" ",
    b"{}",
    b"1",
    b"[]",
    b"{",
    b"{}\r",
    b"\r",
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"_meta":{}}',
    b'{"_meta":{"total_pairs":3}}',
    b'{"_meta":1}',
    b'{"text":1}',
    b'{"messages":[]}',
    b'{"prompt":1,"prompt":2}',
    b"x" * 300,
    *(b"7", b"21", b"0", b"01", b"-3.5", b"1e5", b"1e999", b"1.5E7", b"9" * 15, b"9" * 25),
    *(b"[3,40]", b"[3,4", b'"6"', b'"\\u0031"', b"x 7 8", b"\xff3", b"2,'a'", b"5\r", b"8]"),
    *lines(
        question("a", "b"),
        question("a", "a@b.com"),
        question("a", " "),
        {**question("a", "c"), "x": 1, "y": 2},
        {**question("a", "d"), "chosen": "e"},
        {**question("a", "d"), "id": "e"},
        {**question("a", "d"), "weight": 0},
        alpaca("a", "b"),
    ).splitlines(),
]


def _validated(data: bytes, options: Options) -> dict[str, Any]:
    result = validate(BytesIO(data), options).as_dict()
    return {name: value for name, value in result.items() if name not in ("seconds", "mb_per_s")}


def _one_by_one(data: bytes, options: Options) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_scanner, "_is_of_short_lines", lambda _chunk: False)
        return _validated(data, options)


@given(
    data=st.lists(
        st.tuples(st.lists(st.sampled_from(LINES), min_size=1, max_size=6), st.integers(1, 40)),
        min_size=1,
        max_size=5,
    ).map(lambda parts: b"\n".join(b"\n".join(part * times) for part, times in parts)),
    listed=st.sampled_from([0, 3, 1000]),
    block=st.sampled_from([(), ("blank_line", "extra_field")]),
    max_tokens=st.sampled_from([None, 1]),
)
@settings(max_examples=effort(100, 300), deadline=None)
def test_lines_that_recur_give_what_reading_each_of_them_gives(
    data: bytes, listed: int, block: tuple[str, ...], max_tokens: int | None
) -> None:
    options = Options(listed=listed, block=block, max_tokens=max_tokens)
    assert _validated(data, options) == _one_by_one(data, options)


@pytest.mark.parametrize(
    "unit",
    [
        b"{}\n1\n[]\n",
        b"\n{}\n \n",
        b"{}\r\n1\r\n",
        b'{"prompt":"a","completion":"b"}\n1\n',
        b'{"prompt":"a","completion":"b","x":1}\n{"prompt":"a","completion":"c","y":1}\n',
    ],
)
def test_many_blocks_of_them_do_so_too_in_one_process_and_in_two(unit: bytes) -> None:
    data = lines(question("How?", "So.")) + unit * (600_000 // len(unit))
    slowly = _one_by_one(data, Options())
    assert _validated(data, Options()) == slowly
    assert _validated(data, Options(extra_processes=1)) == slowly


def test_lines_that_alternate_are_counted_and_named_where_they_stand() -> None:
    result = validate(BytesIO(b"{}\n1\n\n" * 50_000), Options(listed=4))
    assert (result.lines, result.records, result.refused) == (150_000, 100_000, 100_000)
    assert {row.code: (row.count, row.lines) for row in result.summary} == {
        "unknown_format": (50_000, [1, 4, 7, 10, 13]),
        "not_an_object": (50_000, [2, 5, 8, 11, 14]),
        "blank_line": (50_000, [3, 6, 9, 12, 15]),
    }
    assert found(result.errors) == [
        (1, "", "unknown_format"),
        (2, "", "not_an_object"),
        (4, "", "unknown_format"),
        (5, "", "not_an_object"),
    ]
    assert [problem.line for problem in result.warnings] == [3, 6, 9, 12]


@pytest.fixture
def count_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], tuple[int, ValidationResult]]:
    """Validates a file; returns how many records were read for it, and the result."""
    reads = 0
    read = RecordReader.read

    def counting(self: RecordReader, line: bytes, note: Any, number: int = 0) -> Any:
        nonlocal reads
        reads += 1
        return read(self, line, note, number)

    monkeypatch.setattr(RecordReader, "read", counting)

    def validated(data: bytes) -> tuple[int, ValidationResult]:
        result = validate(BytesIO(data))
        return reads, result

    return validated


@pytest.mark.parametrize("head", [b"", lines(question())])
@pytest.mark.parametrize(
    "unit", [b"\n", b"{}\n", b"1\n", b"{}\n1\n[]\n", b"\n \n\t\n", b"{}\r\n1\r\n", b"{}\r1\r"]
)
def test_each_of_them_is_read_once_however_long_the_file_is(
    unit: bytes, head: bytes, count_reads: Callable[[bytes], tuple[int, ValidationResult]]
) -> None:
    head = head.replace(b"\n", b"\r") if b"\n" not in unit else head
    reads, result = count_reads(head + unit * (1_000_000 // len(unit)))
    assert result.lines > 250_000
    assert reads <= 10


@pytest.mark.parametrize("line", [b"%d\n", b"[1,%d]\n", b'"word %d"\n', b"word %d\n"])
def test_lines_without_an_object_that_differ_in_numbers_are_read_once(
    line: bytes, count_reads: Callable[[bytes], tuple[int, ValidationResult]]
) -> None:
    data = b"".join(line % number for number in range(20_000))
    reads, result = count_reads(data)
    assert (result.records, result.refused) == (20_000, 20_000)
    assert reads <= 100


def test_a_new_line_among_many_that_recur_costs_one_more_read(
    count_reads: Callable[[bytes], tuple[int, ValidationResult]],
) -> None:
    data = b"".join(b"{%d\n" % number + b"{}\n[]\n1\n" * 20 for number in range(1_000))
    reads, result = count_reads(data)
    assert result.records == 61_000
    assert reads <= 1_010
