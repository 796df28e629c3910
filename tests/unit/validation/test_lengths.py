"""Percentiles of length: right to one bin, whatever way the file was cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import quantiles

import pytest

from brightrun.validation.block_result import BlockResult
from brightrun.validation.lengths import ALL_MEASURED, BIN_BYTES, FileLengths, pair_sizes
from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.report import Report
from brightrun.validation.tokens import Tokenizer
from tests.unit.validation.records import checked, messages, pair


def _record(*sizes: int, group: str = "") -> RecordSummary:
    texts = [b'"' + b"x" * (size - 2) + b'"' for size in sizes]
    trained = range(1, len(sizes), 2)
    return RecordSummary(texts, trained, b"".join(texts), len(sizes), len(sizes), group)


def _result(records: Sequence[RecordSummary], first_line: int = 1) -> BlockResult:
    lines = list(range(first_line, first_line + len(records)))
    result = BlockResult(Report().findings(), len(records), all_pairs=first_line <= ALL_MEASURED)
    result.describe(records, lines)
    result.pair_sizes = pair_sizes(records, lines, result.all_pairs)
    return result


def test_percentiles_are_right_to_one_bin_and_the_longest_is_exact() -> None:
    random, lengths = Random(5), FileLengths()  # noqa: S311
    sizes = [random.randint(40, 9_000) for _ in range(3_000)]
    lengths.add(_result([_record(size - 20, 20) for size in sizes]))
    exact = quantiles(sizes, n=100, method="inclusive")
    for found in (lengths.per_conversation(1.0), lengths.per_pair(1.0)):
        assert found.max == max(sizes)
        for share, value in ((50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99)):
            assert exact[share - 1] - BIN_BYTES <= value <= exact[share - 1] + 2 * BIN_BYTES


def test_the_pairs_of_a_large_file_are_sampled_evenly() -> None:
    random, lengths = Random(6), FileLengths()  # noqa: S311
    records = [_record(random.randint(10, 500), 40) for _ in range(8 * ALL_MEASURED)]
    for at in range(0, len(records), 64):
        lengths.add(_result(records[at : at + 64], at + 1))
    assert lengths.per_pair(1.0).p50 == pytest.approx(295, abs=2 * BIN_BYTES)
    assert lengths.per_pair(1.0).p90 == pytest.approx(491, abs=2 * BIN_BYTES)


def test_a_conversation_of_several_rows_is_as_long_as_its_longest() -> None:
    lengths = FileLengths()
    lengths.add(_result([_record(100, 100, group="a"), _record(300, 100, group="a")]))
    lengths.add(_result([_record(300, 600, group="a"), _record(100, 100, group="b")], 3))
    found = lengths.per_conversation(1.0)
    assert (found.p50, found.p90, found.max) == (224, 900, 900)


def test_lengths_are_told_in_tokens_of_the_tokenizer() -> None:
    characters = Tokenizer("characters", lambda text: len(text) + 2)  # as many as bytes of JSON
    result = checked(
        messages("a" * 8, "b" * 88), messages("c" * 98, "d" * 298), tokenizer=characters
    )
    assert result.tokens_per_conversation.max == 400
    assert result.tokens_per_conversation.p50 == 128
    assert result.conversations == 2
    assert "32" in result.lengths_method


def test_rows_and_conversations_are_measured_apart() -> None:
    result = checked(pair("Short?", "Yes, it is."), pair("Longer?", "No. " * 300))
    assert result.tokens_per_pair.p50 < result.tokens_per_conversation.p50
    assert result.tokens_per_pair.max == result.tokens_per_conversation.max


def test_a_file_without_sound_records_has_no_lengths() -> None:
    assert checked(b"{").tokens_per_pair.max == 0
