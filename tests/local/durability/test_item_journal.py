"""The journal of items brings back what was stored, and stays in proportion to it."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.durability import item_journal
from local.durability.item_journal import Effect, ItemJournal
from tests.local.full_disk import NO_SPACE


class Store:
    """Items of one table by key, as the emulator would hold them."""

    def __init__(self, path: Path) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.journal = ItemJournal(path, lambda: [("t", item) for item in self.items.values()])
        self.journal.replay(self._apply)

    def write(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._apply(effect)
        self.journal.append(effects)

    def _apply(self, effect: Effect) -> None:
        if effect[0] == "put":
            self.items[effect[2]["key"]] = effect[2]
        else:
            self.items.pop(effect[2], None)


def _put(key: str, value: int) -> Effect:
    return ["put", "t", {"key": key, "value": value}]


EFFECTS = st.one_of(
    st.builds(_put, st.sampled_from("abc"), st.integers(0, 9)),
    st.builds(lambda key: ["delete", "t", key, ""], st.sampled_from("abc")),
)


@settings(deadline=None, max_examples=50)
@given(requests=st.lists(st.lists(EFFECTS, min_size=1, max_size=4), max_size=30))
def test_replay_brings_back_exactly_what_was_stored(
    tmp_path_factory: Any, requests: list[list[Effect]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "items.jsonl"
    before = Store(path)
    for effects in requests:
        before.write(effects)
    before.journal.close()
    after = Store(path)
    after.journal.close()
    assert after.items == before.items


def test_effects_of_one_request_are_lost_together(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    before = Store(path)
    before.write([_put("a", 1)])
    before.write([_put("b", 1), _put("c", 1)])
    before.journal.close()
    path.write_bytes(path.read_bytes()[:-3])
    after = Store(path)
    after.journal.close()
    assert after.items.keys() == {"a"}


def test_journal_of_one_item_written_often_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    before = Store(path)
    for value in range(3 * item_journal._SLACK):
        before.write([_put("a", value)])
    before.journal.close()
    assert len(path.read_bytes().splitlines()) <= item_journal._SLACK + 4
    after = Store(path)
    after.journal.close()
    assert after.items == before.items


def test_journal_that_cannot_be_shortened_goes_on_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "items.jsonl"
    monkeypatch.setattr(item_journal, "_SLACK", 10)
    before = Store(path)

    def no_space(_descriptor: int) -> None:
        raise NO_SPACE

    monkeypatch.setattr(os, "fsync", no_space)
    for value in range(50):
        before.write([_put("a", value)])
    before.journal.close()
    after = Store(path)
    after.journal.close()
    assert after.items == before.items
