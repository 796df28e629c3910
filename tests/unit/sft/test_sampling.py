"""A sample is of whole conversations, the same ones every time, and knows what it stands for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pytest

from brightrun.formats.format import FORMATS
from brightrun.formats.model import Example, Turn
from brightrun.formats.reader import RecordFile
from brightrun.sft.data import DataReport, TrainingPair, pairs_of_file
from brightrun.sft.errors import DatasetError
from brightrun.sft.sampling import RowSampler, share_of, thinned

META = b'{"_meta": {"version": "4.0.0"}}\n'


def pair_row(conversation: int, turn: int) -> dict[str, Any]:
    return {
        "id": f"c{conversation}_turn{turn}",
        "conversation_id": f"c{conversation}",
        "conversation_history": [],
        "current_user_input": f"Question {turn} of {conversation}?",
        "target_response": f"Answer {turn} of {conversation}.",
    }


def lines_of(rows: Iterable[dict[str, Any]]) -> list[bytes]:
    return [META, *(json.dumps(row).encode() + b"\n" for row in rows)]


def _exchange(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": "Yes."}]


PAIRS = lines_of(pair_row(number, turn) for number in range(200) for turn in range(4))


def sampled(lines: list[bytes], most: int) -> tuple[RowSampler, dict[int, dict[str, Any]]]:
    """The sampler after it has read everything, and the rows it let through by line."""
    sampler = RowSampler(sum(map(len, lines)), most)
    taken = sampler.records(RecordFile(BytesIO(b"".join(lines))))
    return sampler, {one.number: dict(one.reading.record) for one in taken if one.reading}


def test_a_conversation_is_taken_whole_or_not_at_all() -> None:
    _, rows = sampled(PAIRS, 20_000)
    turns = defaultdict(list)
    for row in rows.values():
        turns[row["conversation_id"]].append(row)
    assert 20 < len(turns) < 80
    assert {len(taken) for taken in turns.values()} == {4}


def test_rows_keep_their_lines() -> None:
    _, rows = sampled(PAIRS, 20_000)
    assert all(json.loads(PAIRS[number - 1]) == row for number, row in rows.items())


def test_the_sample_does_not_depend_on_the_order_of_rows() -> None:
    _, rows = sampled(PAIRS, 20_000)
    _, reordered = sampled([PAIRS[1], *PAIRS[:0:-1][:-1]], 20_000)
    names = {row["conversation_id"] for row in rows.values()}
    assert {row["conversation_id"] for row in reordered.values()} == names


def test_everything_is_counted_and_the_factor_makes_up_for_the_rest() -> None:
    sampler, rows = sampled(PAIRS, 20_000)
    assert (sampler.rows, sampler.sampled_rows) == (800, len(rows))
    assert sampler.size == sum(map(len, PAIRS[1:]))
    assert sampler.factor * len(rows) == pytest.approx(800, rel=0.02)


def test_the_first_conversation_is_always_there() -> None:
    _, rows = sampled(PAIRS, 1)
    assert {row["conversation_id"] for row in rows.values()} == {"c0"}


def test_few_large_conversations_do_not_break_the_bound() -> None:
    large = lines_of({"messages": _exchange(f"{number}" * 1000)} for number in range(100, 400))
    sampler, _ = sampled(large, 30_000)
    assert sampler.sampled_size < 2 * 30_000 + 4000


def test_rows_without_an_id_that_open_alike_are_sampled_together() -> None:
    said = [_exchange(f"Q{n % 50}") for n in range(400)]
    _, rows = sampled(lines_of({"messages": turns} for turns in said), 6_000)
    counts: dict[str, int] = defaultdict(int)
    for row in rows.values():
        counts[row["messages"][0]["content"]] += 1
    assert set(counts.values()) == {8}


@pytest.mark.parametrize("name", ["messages", "sharegpt", "alpaca", "conversations", "v4-jsonl"])
def test_rows_of_every_format_are_sampled(name: str) -> None:
    examples = [
        Example((Turn("user", f"Q{number}?"), Turn("assistant", f"A{number}.", trains=True)))
        for number in range(400)
    ]
    rows = [row for n, one in enumerate(examples) for row in FORMATS[name].records(one, n)]
    lines = lines_of(rows)
    sampler, taken = sampled(lines, sum(map(len, lines)) // 5)
    assert sampler.rows == 400
    assert 40 < len(taken) < 120


def test_a_row_with_an_error_is_always_among_them_and_never_multiplied() -> None:
    sampler = RowSampler(10_000, 10)
    lines = [*PAIRS[:5], b"{nonsense\n", *PAIRS[5:]]
    taken = list(sampler.records(RecordFile(BytesIO(b"".join(lines)))))
    assert [one.number for one in taken if one.reading is None] == [6]
    assert sampler.rows == 800


def read(lines: list[bytes]) -> list[TrainingPair]:
    return pairs_of_file(BytesIO(b"".join(lines)), "x", DataReport())


def test_pairs_are_thinned_by_whole_conversations_to_what_can_be_read() -> None:
    pairs = read(PAIRS)
    kept, factor = thinned(pairs, 4_000)
    names = {pair.conversation_id for pair in kept}
    assert [pair for pair in pairs if pair.conversation_id in names] == kept
    assert factor * len(kept) == pytest.approx(len(pairs), rel=0.02)
    left_out = {pair.conversation_id for pair in pairs} - names
    assert max(map(share_of, names)) < min(map(share_of, left_out))


def test_few_pairs_are_left_as_they_are() -> None:
    pairs = read(PAIRS)
    assert thinned(pairs, 10**9) == (pairs, 1.0)
    assert thinned([], 10) == ([], 1.0)


def test_one_conversation_that_is_far_too_large_is_refused() -> None:
    pairs = read(lines_of([{**pair_row(1, 1), "target_response": "x" * 5000}]))
    with pytest.raises(DatasetError, match=r"conversation c1 alone .*`brightrun receipt`"):
        thinned(pairs, 1000)
