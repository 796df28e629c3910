"""The validator's parts one by one: the table of hashes, the scan, tokens, codes and lines."""

from __future__ import annotations

from io import BytesIO
from random import Random

import pytest

from brightrun.formats import codes
from brightrun.formats.codes import Severity, codes_page
from brightrun.formats.lines import BLOCK_BYTES, BlockReader, TooLong, chunks_of, lines_of
from brightrun.formats.rules import pointer
from brightrun.formats.strict_json import depth
from brightrun.formats.text import ends_cut
from brightrun.validation.duplicate_table import DuplicateTable
from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.report import Report
from brightrun.validation.scan import findings
from brightrun.validation.tokens import (
    SAMPLE,
    Tokenizer,
    TokenSample,
    estimated_tokens,
    sampled,
    scattered,
)

ALL_BITS = (1 << 64) - 1


def test_a_hash_is_found_on_the_line_it_was_first_seen_on() -> None:
    table = DuplicateTable(10)
    assert table.first_lines([5, 6], 1) == [0, 0]
    assert table.first_lines([6, 7, 5], 2) == [1, 0, 1]
    assert table.first_line(7, 3) == 2


def test_nothing_is_forgotten_up_to_a_quarter_of_the_table_and_every_loss_is_counted() -> None:
    random, table = Random(7), DuplicateTable(14)  # noqa: S311
    values = [random.getrandbits(64) for _ in range(1 << 14)]
    for value in values[: 1 << 12]:
        assert not table.remember([value], [1])
    assert table.forgotten == 0
    assert all(table.first_lines(values[: 1 << 12], 2))
    for value in values[1 << 12 :]:
        table.first_line(value, 1)
    missed = sum(not table.first_line(value, 2) for value in values)
    assert table.forgotten >= missed > 0


def test_hashes_never_seen_are_never_found() -> None:
    random, table = Random(8), DuplicateTable(12)  # noqa: S311
    assert not any(table.first_line(random.getrandbits(64) & ALL_BITS, 1) for _ in range(20_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ann.lee+x@mail.example.org today", {("personal_data", "e-mail address")}),
        ("call 555-123-4567 now", {("personal_data", "phone number")}),
        ("call (555) 123-4567 now", {("personal_data", "phone number")}),
        ("call +44 20 7946 0958", {("personal_data", "phone number")}),
        ("my number is 078-05-1120", {("personal_data", "social security number")}),
        ("card 4111 1111 1111 1111, thanks", {("personal_data", "card number")}),
        ("card 378282246310005", {("personal_data", "card number")}),
        ("key AKIAIOSFODNN7EXAMPLE", {("secret", "")}),
        ("-----BEGIN RSA PRIVATE KEY-----", {("secret", "")}),
        ("token ghp_" + "a1" * 18, {("secret", "")}),
        ("<|im_start|>system", {("special_token", "")}),
        ("say [/INST] and </s>", {("special_token", "")}),
        ("ready.\\n\\nNow then", {("literal_escape", "")}),
        ('he said \\"yes\\"', {("literal_escape", "")}),
    ],
)
def test_suspicious_text_is_found_by_kind(text: str, expected: set[tuple[str, str]]) -> None:
    assert set(findings(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I owe $300-600, due 2025-12-09 20:18, account 123456789012.",
        "card 4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "meet @noon, ask for desk-free risk-taking; x < y, a <b>bold</b> word",
        "the path C:\\new\\temp and \\nabla in LaTeX",
        "room 12-3456 in 2024-2025",
    ],
)
def test_ordinary_text_is_not_suspicious(text: str) -> None:
    assert not list(findings(text))


def test_an_answer_that_ends_in_a_backslash_was_cut() -> None:
    assert ends_cut("what I hear is \\")
    assert ends_cut("what I hear is \\ \n")
    assert not ends_cut("a \\ in the middle.")


def test_the_token_sample_stays_small_and_hits_the_total() -> None:
    words = Tokenizer("words", lambda text: len(text.split()))
    sample = TokenSample(words)
    random, size, total = Random(3), 0, 0  # noqa: S311
    for line in range(1, 20_001):
        text = "word " * random.randint(1, 60)
        written = f'"{text}"'.encode()
        sample.offer(sampled([RecordSummary([written], [0], written, 1, 1)], [line], sample.stride))
        size += len(written)
        total += len(text.split())
    assert size * sample.per_byte() == pytest.approx(total, rel=0.02)
    assert 0 < int(sample.method.split()[-2]) <= SAMPLE


def test_the_token_sample_is_the_same_whoever_picked_from_an_older_stride() -> None:
    words = Tokenizer("words", lambda text: len(text.split()))
    prompt, late = TokenSample(words), TokenSample(words)
    for line in range(1, 5_001, 100):
        lines = range(line, line + 100)
        summary = [
            RecordSummary([b'"' + b"word " * (n % 60) + b'"'], [0], b"", 1, 1) for n in lines
        ]
        prompt.offer(sampled(summary, lines, prompt.stride))
        late.offer(sampled(summary, lines, 1))
    assert prompt.per_byte() == late.per_byte()
    assert prompt.method == late.method


@pytest.mark.parametrize("step", [2, 3, 7, 8, 64])
def test_lines_in_a_regular_order_are_sampled_like_all_others(step: int) -> None:
    lines = range(step, 80_000, step)
    picked = [line for line in lines if not scattered(line) % 8]
    assert len(picked) == pytest.approx(len(lines) / 8, rel=0.05)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("Hello world", 2), ("I'm here.", 4), ("1234567", 3), ("a\n\nb", 3), ("财务状况", 3)],
)
def test_tokens_are_estimated_by_pieces(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_every_code_says_what_is_wrong_and_how_to_mend_it() -> None:
    assert len(codes()) >= 40
    for name, row in codes().items():
        assert name == row.name == name.lower()
        assert row.title.endswith(".")
        assert len(row.hint) > 10
        assert "|" not in row.title + row.hint


def test_the_page_of_codes_lists_each_once_and_is_the_same_every_time() -> None:
    page = codes_page()
    assert page == codes_page()
    for name in codes():
        assert page.count(f"| `{name}` |") == 1


def test_the_report_shows_the_first_of_each_code_past_its_cap() -> None:
    report = Report(cap=2)
    for line in range(1, 6):
        report.note("empty_turn", line)
    report.note("invalid_json", 6)
    assert [problem.line for problem in report.listed[Severity.ERROR]] == [1, 2, 6]
    assert (report.errors, report.count("empty_turn")) == (6, 5)


def test_reports_of_parts_add_up_to_the_report_of_the_whole() -> None:
    whole, parts = Report(cap=3), Report(cap=3)
    problems = [("empty_turn", 1), ("duplicate", 2), ("invalid_json", 2), ("empty_turn", 5)] * 3
    for at in range(0, len(problems), 4):
        first, second = parts.part(), parts.part()
        for place, (code, line) in enumerate(problems[at : at + 4]):
            whole.note(code, 10 * at + line)
            (second if place == 1 else first).note(code, 10 * at + line)
        parts.add(first.findings(), second.findings())
    assert parts.summary() == whole.summary()
    assert parts.listed == whole.listed
    assert parts.errors == whole.errors


def test_a_long_detail_is_cut_and_a_half_surrogate_in_it_replaced() -> None:
    report = Report()
    report.note("unknown_format", 1, "", "\ud83d" + "x" * 500)
    message = report.listed[Severity.ERROR][0].message
    assert len(message) < 300
    assert message.encode()


class Stingy:
    """Gives a few bytes at a time, as a network may."""

    def __init__(self, data: bytes, most: int) -> None:
        self._stream = BytesIO(data)
        self._most = most

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._most))


def _all_lines(data: bytes, limit: int, most: int) -> list[bytes | TooLong]:
    reader = BlockReader(Stingy(data, most), limit)
    found: list[bytes | TooLong] = []
    for first_line, block in reader:
        assert first_line == len(found) + 1
        for chunk in chunks_of(block, limit):
            found += [chunk] if isinstance(chunk, TooLong) else map(bytes, lines_of(chunk))
    assert reader.lines == len(found)
    return found


@pytest.mark.parametrize("most", [3, 1000, BLOCK_BYTES])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_come_in_order_and_the_too_long_one_is_told(most: int, end: bytes) -> None:
    data = b"one\n" + b"x" * 11 + b"\n\n" + b"y" * 10 + b"\n" + b"z" * 9_000 + b"\nlast" + end
    found = _all_lines(data, 10, most)
    assert found == [b"one", TooLong(11), b"", b"y" * 10, TooLong(9_000), b"last"]


def test_lines_across_blocks_and_one_longer_than_blocks_are_put_together() -> None:
    short, long = b"s" * 1_000, b"l" * (2 * BLOCK_BYTES)
    data = b"\n".join([short] * 9_000 + [long] + [short] * 9_000)
    found = _all_lines(data, 3 * BLOCK_BYTES, BLOCK_BYTES)
    assert found == [short] * 9_000 + [long] + [short] * 9_000
    found = _all_lines(data, 2_000, BLOCK_BYTES)
    assert found == [short] * 9_000 + [TooLong(len(long))] + [short] * 9_000


def test_a_source_that_fails_is_not_hidden() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError("the connection was lost")

    with pytest.raises(OSError, match="connection was lost"):
        list(BlockReader(Broken(), 10))


def test_pointers_escape_and_depth_counts_containers() -> None:
    assert pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"
    values: list[object] = [1, [], [1], [[1]], {"a": [{}]}]
    assert [depth(value) for value in values] == [0, 0, 1, 2, 2]
