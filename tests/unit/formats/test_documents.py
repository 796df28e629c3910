"""A document gives the same items, each in its place, however it is cut into blocks."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightrun.formats.documents import ARRAY, VALUES, WRAPPED, DocumentReader, Place
from brightrun.formats.source import RecordSource
from brightrun.validation.validator import Options, validate

DEEP = b"[" * 20 + b"]" * 20
ITEMS = st.sampled_from(
    [
        b"{}",
        b"1",
        b"[]",
        b'"}],"',
        b'{"a": "\\\\\\""}',
        b'{"a":\n[{}, "b"]}',
        DEEP,
        b"x",
        b"\\]",
        b"{]",
    ]
)
Found = tuple[bytes, Place]


class Dripping:
    """A source that gives so many bytes at once."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = BytesIO(data)
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._data.read(min(size, self._size))


def read(data: bytes, shape: int, at_once: int) -> tuple[list[Found], str]:
    reader = DocumentReader(Dripping(data, at_once), shape, "data")
    found = [(item, run.where(at)) for run in reader for at, item in enumerate(run.items)]
    return found, reader.fault


@given(
    items=st.lists(st.one_of(ITEMS, st.just(b"{}"))),
    comma=st.sampled_from([b",", b", ", b"\n,\n ", b",,"]),
    ends=st.sampled_from([b"]", b"]}", b"", b",]", b"] 1"]),
    at_once=st.integers(1, 40),
)
@settings(max_examples=300, deadline=None)
def test_blocks_of_any_size_give_the_same_items_and_places(
    items: list[bytes], comma: bytes, ends: bytes, at_once: int
) -> None:
    for shape, start in ((ARRAY, b"["), (WRAPPED, b'{"v": [1],\n"data": ['), (VALUES, b"")):
        data = start + comma.join(items) + ends
        whole = read(data, shape, len(data) + 1)
        assert read(data, shape, at_once) == whole
        assert read(data, shape, 1) == whole


@pytest.mark.parametrize(
    "filler", [b"{}", b'{"a":\n1}', DEEP, b"x"], ids=["flat", "two lines", "deep", "broken"]
)
def test_items_far_apart_are_named_where_they_stand(filler: bytes) -> None:
    marked = [1, 2, 3, 40_000, 80_000]
    items = [b"\xff" if at in marked else filler for at in range(80_001)]
    data = b"[" + b" ,\n".join(items) + b"]"
    result = validate(BytesIO(data), Options(listed=0))
    (row,) = [row for row in result.summary if row.code == "invalid_utf8"]
    places = [found.start() for found in re.finditer(b"\xff", data)]
    assert row.lines == [data.count(b"\n", 0, place) + 1 for place in places]


def test_the_pointer_of_a_pair_leads_through_its_conversation() -> None:
    pairs = [{"id": "a"}, {"id": "b"}]
    entry = {"conversation_metadata": {"conversation_id": "c"}, "training_pairs": pairs}
    data = json.dumps({"training_file_metadata": {}, "conversations": [entry] * 3}).encode()
    source = RecordSource(BytesIO(data))
    while source.read(1 << 20):
        pass
    places = [source.place(number).pointer for number in (1, 2, 5, 6)]
    assert places == [
        "/conversations/0/training_pairs/0",
        "/conversations/0/training_pairs/1",
        "/conversations/2/training_pairs/0",
        "/conversations/2/training_pairs/1",
    ]
