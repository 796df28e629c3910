"""Parquet, as pandas, datasets and Spark write it, becomes the records that it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brightrun.formats.convert import convert_file
from brightrun.formats.errors import FormatError

pa = pytest.importorskip("pyarrow", reason="pyarrow of requirements/dev.lock is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow has no Parquet here")

ASKED = ["Where do I begin?", "And then?"]
ANSWERS = ["With one small step – à pied.", "Another."]


def turn_type(**more: Any) -> Any:
    return pa.struct([("role", pa.string()), ("content", pa.string()), *more.items()])


def conversations(**more: Any) -> list[list[dict[str, Any]]]:
    return [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": answer, **more}]
        for asked, answer in zip(ASKED, ANSWERS, strict=True)
    ]


def convert(folder: Path, data: bytes) -> list[dict[str, Any]]:
    """The records of a Parquet file as messages; every one of them is carried over."""
    source, output = folder / "rows.parquet", folder / "rows.jsonl"
    source.write_bytes(data)
    done = convert_file(source, "messages", output, created="2026-11-28T00:00:00.000Z")
    assert done.is_complete
    return [json.loads(line) for line in output.read_text("utf-8").splitlines()]


def refusal(folder: Path, data: bytes) -> FormatError:
    with pytest.raises(FormatError) as refused:
        convert(folder, data)
    return refused.value


def parquet(table: Any, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue())


def answers(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["messages"][-1]["content"] for row in rows]


def exchange(**columns: Any) -> Any:
    return pa.table({"prompt": ASKED, "completion": ANSWERS, **columns})


def metadata(folder: Path, **columns: Any) -> dict[str, Any]:
    """What is left of other columns beside a question and an answer, of the first row."""
    read: dict[str, Any] = convert(folder, parquet(exchange(**columns)))[0]["metadata"]
    return read


def test_messages_in_structs_are_read_and_columns_of_nulls_say_nothing(tmp_path: Path) -> None:
    turns = turn_type(name=pa.string(), tool_calls=pa.list_(pa.struct([("id", pa.string())])))
    table = pa.table(
        {
            "messages": pa.array(conversations(), pa.list_(turns)),
            "tools": pa.nulls(2),
            "system": pa.nulls(2, pa.string()),
            "images": pa.nulls(2, pa.list_(pa.binary())),
        }
    )
    rows = convert(tmp_path, parquet(table))
    assert answers(rows) == ANSWERS
    assert [set(row) for row in rows] == [{"messages"}] * 2
    assert {key for row in rows for turn in row["messages"] for key in turn} == {"role", "content"}


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_every_compression_is_read(tmp_path: Path, compression: str) -> None:
    rows = convert(tmp_path, parquet(exchange(), compression=compression))
    assert answers(rows) == ANSWERS


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "binary", "dictionary"])
def test_text_is_text_however_the_column_stores_it(tmp_path: Path, kind: str) -> None:
    column = pa.array(ANSWERS)
    stored = column.dictionary_encode() if kind == "dictionary" else column.cast(kind)
    table = pa.table({"prompt": ASKED, "completion": stored})
    assert answers(convert(tmp_path, parquet(table))) == ANSWERS


def test_bytes_that_are_no_text_are_never_trained_on(tmp_path: Path) -> None:
    table = pa.table({"prompt": ASKED, "completion": pa.array([b"\xff\xfe\x00"] * 2)})
    assert refusal(tmp_path, parquet(table)).code == "nothing_to_train"
    assert metadata(tmp_path, picture=[b"\xff\xd8"] * 2) == {"picture": {"base64": "/9g="}}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (("timestamp", "us", "UTC"), 1764324000123456, "2025-11-28 10:00:00.123456Z"),
        (("timestamp", "ns", "UTC"), 1764324000123456789, "2025-11-28 10:00:00.123456789Z"),
        (("timestamp", "ns", None), 1764324000123456789, "2025-11-28 10:00:00.123456789"),
        (("timestamp", "ms", None), 400_000_000_000_000, "14645-06-30 15:06:40.000"),
        (("date32",), date(2026, 11, 28), "2026-11-28"),
        (("time64", "ns"), 1_234_567_891, "00:00:01.234567891"),
        (("duration", "ns"), timedelta(seconds=5), "0:00:05"),
    ],
)
def test_times_become_text_to_the_nanosecond_and_beyond_the_year_9999(
    tmp_path: Path, kind: tuple[Any, ...], value: Any, text: str
) -> None:
    name, *arguments = kind
    column = pa.array([value] * 2, getattr(pa, name)(*arguments))
    assert metadata(tmp_path, at=column) == {"at": text}


def test_times_inside_of_turns_do_not_stop_the_file(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    turns = pa.list_(turn_type(at=pa.timestamp("ns", "UTC")))
    table = pa.table({"messages": pa.array(conversations(at=moment), turns)})
    assert answers(convert(tmp_path, parquet(table))) == ANSWERS


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Decimal("1.50"), 1.5),
        (Decimal("7.00"), 7),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Decimal(10**30), "1" + "0" * 30),
    ],
)
def test_decimals_are_numbers_where_a_number_is_equal(
    tmp_path: Path, value: Decimal, read: Any
) -> None:
    assert metadata(tmp_path, score=[value] * 2) == {"score": read}


def test_a_decimal_can_weigh_an_answer(tmp_path: Path) -> None:
    table = pa.table({"messages": conversations(weight=Decimal(1))})
    assert answers(convert(tmp_path, parquet(table))) == ANSWERS


def test_maps_are_objects_and_nan_is_absent(tmp_path: Path) -> None:
    tags = pa.array([[("mood", 3)]] * 2, pa.map_(pa.string(), pa.int64()))
    assert metadata(tmp_path, tags=tags, score=[float("nan")] * 2) == {"tags": {"mood": 3}}


def test_messages_written_as_json_text_are_messages_and_answers_in_json_stay_text(
    tmp_path: Path,
) -> None:
    table = pa.table({"messages": [json.dumps(turns) for turns in conversations()]})
    assert answers(convert(tmp_path, parquet(table))) == ANSWERS
    said = ['{"mood": "calm"}', "[1, 2]"]
    (tmp_path / "rows.jsonl").unlink()
    table = pa.table({"prompt": ASKED, "completion": said})
    assert answers(convert(tmp_path, parquet(table))) == said


def test_a_large_row_group_and_many_small_ones_are_the_same_rows(tmp_path: Path) -> None:
    said = [f"Answer {number}." for number in range(5_000)]
    table = pa.table({"prompt": ["Well?"] * len(said), "completion": said})
    for folder, rows_a_group in ((tmp_path / "one", 5_000), (tmp_path / "many", 7)):
        folder.mkdir()
        data = parquet(table, row_group_size=rows_a_group)
        assert answers(convert(folder, data)) == said


def test_two_columns_of_one_name_are_refused_by_name(tmp_path: Path) -> None:
    columns = [pa.array(column) for column in (ASKED, ANSWERS, ANSWERS)]
    table = pa.Table.from_arrays(columns, names=["prompt", "completion", "completion"])
    error = refusal(tmp_path, parquet(table))
    assert (error.code, "named 'completion'" in error.message) == ("duplicate_key", True)


def test_what_is_damaged_or_empty_is_told(tmp_path: Path) -> None:
    whole = parquet(exchange())
    assert refusal(tmp_path, whole[: len(whole) // 2]).code == "file_is_damaged"
    garbled = whole[:10] + b"\xff" * 30 + whole[40:]
    assert refusal(tmp_path, garbled).code == "file_is_damaged"
    assert "no records" in refusal(tmp_path, parquet(exchange().slice(0, 0))).message
