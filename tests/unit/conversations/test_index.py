"""The index of conversations: what it reads, what it finds late, and what it saves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from brightrun.conversations import index as module
from brightrun.conversations.digests import Change
from brightrun.conversations.index import ConversationIndex
from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import StorageError
from brightrun.core.object_keys import conversation_snapshot
from brightrun.core.timestamps import iso
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects

SNAPSHOT = conversation_snapshot(OWNER)


class Table(InMemoryConversations):
    """Counts the changes that are read."""

    read = 0

    def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
        for page in super().changes(owner_id, since):
            self.read += len(page)
            yield page

    def lose(self, conversation_id: str) -> None:
        """Take away a row and what told of its deletion."""
        del self._rows[OWNER, conversation_id]


class World:
    def __init__(self) -> None:
        self.rows = Table()
        self.files = InMemoryObjects()
        self.clock = SteppedClock()
        self.index = self.another()

    def another(self) -> ConversationIndex:
        """The index of a new process."""
        return ConversationIndex(self.rows, self.files, self.clock)

    def write(self, *ids: str, ago: float = 0.0, owner: str = OWNER) -> None:
        """Commit rows now whose `updated_at` was taken some seconds ago."""
        at = iso(self.clock() - timedelta(seconds=ago))
        for one in ids:
            self.rows.add(a_record(one, owner_id=owner, created_at=at, updated_at=at))

    def seen(self, index: ConversationIndex | None = None, owner: str = OWNER) -> set[str]:
        return {one.conversation_id for one in (index or self.index).digests(owner).all()}

    def cost(self, index: ConversationIndex | None = None) -> int:
        """How many changes a read of the index takes."""
        before = self.rows.read
        self.seen(index)
        return self.rows.read - before


@pytest.fixture
def saved_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots are written of more than five conversations."""
    monkeypatch.setattr(module, "MOST_UNSAVED", 5)


def ids(first: int, last: int) -> list[str]:
    return [f"c-{number}" for number in range(first, last)]


def test_what_was_written_is_there_with_the_next_read() -> None:
    world = World()
    assert world.seen() == set()
    world.write("c-1")
    assert world.seen() == {"c-1"}
    assert world.seen(owner=STRANGER) == set()


def test_a_read_takes_what_changed_and_not_what_is_stored() -> None:
    world = World()
    world.write(*ids(0, 500))
    world.clock.advance(120)
    world.seen()
    world.clock.advance(10)
    assert world.cost() == 0
    world.write("c-new")
    assert world.cost() == 1


def test_a_write_that_is_committed_some_seconds_late_is_found_at_once() -> None:
    world = World()
    world.seen()
    world.clock.advance(30)
    world.seen()
    world.clock.advance(1)
    world.write("late", ago=4)
    assert world.seen() == {"late"}


@pytest.mark.parametrize("taken_ago", [6, 30, 59])
def test_a_write_that_is_committed_very_late_is_found_within_a_minute(taken_ago: int) -> None:
    world = World()
    for _ in range(13):
        world.seen()
        world.clock.advance(10)
    world.write("late", ago=taken_ago)
    for _ in range(6):
        world.seen()
        world.clock.advance(10)
    assert world.seen() == {"late"}


def test_a_clock_that_is_set_back_hides_nothing() -> None:
    world = World()
    world.clock.advance(3600)
    world.seen()
    world.clock.advance(-3600)
    world.seen()
    world.clock.advance(20)
    world.write("c-1")
    assert world.seen() == {"c-1"}


@pytest.mark.usefixtures("saved_early")
def test_a_new_process_begins_from_the_snapshot() -> None:
    world = World()
    world.write(*ids(0, 100))
    world.clock.advance(120)
    assert world.cost() == 100
    assert SNAPSHOT in world.files.objects
    world.clock.advance(120)
    world.write("c-new")
    cold = world.another()
    assert world.cost(cold) == 1
    assert world.seen(cold) == {*ids(0, 100), "c-new"}
    mine = world.index.digests(OWNER).ordered("created_at", "desc")
    assert cold.digests(OWNER).ordered("created_at", "desc") == mine


def test_few_conversations_need_no_snapshot() -> None:
    world = World()
    world.write(*ids(0, 50))
    world.seen()
    assert world.files.objects == {}


@pytest.mark.usefixtures("saved_early")
def test_the_snapshot_is_written_seldom_while_a_batch_goes_on_and_at_its_end() -> None:
    world = World()
    world.seen()
    for start in range(0, 48, 4):
        world.write(*ids(start, start + 4))
        world.seen()
        assert world.files.objects == {}
        world.clock.advance(1)
    world.seen()
    assert SNAPSHOT in world.files.objects


@pytest.mark.usefixtures("saved_early")
def test_what_was_deleted_leaves_lists_at_once_and_the_snapshot_within_a_day() -> None:
    world = World()
    world.write(*ids(0, 10))
    world.seen()
    world.clock.advance(60)
    deleted: ConversationRecord = world.rows.conversation(OWNER, "c-3")
    world.rows.drop(deleted, iso(world.clock()))
    assert "c-3" not in world.seen()
    assert "c-3" not in world.seen(world.another())
    assert '"c-3"' in world.files.objects[SNAPSHOT].text
    world.clock.advance(86_401)
    world.seen()
    assert '"c-3"' not in world.files.objects[SNAPSHOT].text


@pytest.mark.usefixtures("saved_early")
def test_a_state_that_outlived_tombstones_is_not_used() -> None:
    world = World()
    world.write(*ids(0, 10))
    world.seen()
    world.rows.lose("c-3")
    assert "c-3" in world.seen()
    world.clock.advance(module.MOST_AGE.total_seconds() + 1)
    assert world.seen(world.another()) == world.seen() == {*ids(0, 10)} - {"c-3"}


@pytest.mark.usefixtures("saved_early")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1, "columns": {"other": {"values": [], "rows": []}}}',
    ],
)
def test_a_snapshot_that_cannot_be_read_is_made_again(text: str) -> None:
    world = World()
    world.write(*ids(0, 10))
    world.files.put(SNAPSHOT, text, content_type="")
    assert world.seen() == set(ids(0, 10))
    assert json.loads(world.files.objects[SNAPSHOT].text)["format"] == 1


@pytest.mark.usefixtures("saved_early")
def test_a_list_does_not_fail_because_the_snapshot_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def fail(*_: object, **__: object) -> int:
        raise StorageError("PutObject", "SlowDown")

    monkeypatch.setattr(world.files, "put", fail)
    world.write(*ids(0, 10))
    assert world.seen() == set(ids(0, 10))


def test_the_owners_that_were_read_last_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DIGESTS", 15)
    world = World()
    world.write(*ids(0, 10))
    world.write(*ids(0, 10), owner=STRANGER)
    world.clock.advance(120)
    world.seen()
    world.seen(owner=STRANGER)
    world.clock.advance(10)
    before = world.rows.read
    world.seen(owner=STRANGER)
    assert world.rows.read == before
    assert world.cost() == 10


def test_a_request_that_has_too_much_to_read_leaves_the_rest_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    for one in ids(0, 40):
        world.write(one)
        world.clock.advance(2 * 86_400)

    class Slow(Table):
        """Pages of ten changes, each of which takes five seconds."""

        def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
            (found,) = super().changes(owner_id, since)
            for start in range(0, len(found), 10):
                world.clock.advance(5)
                yield found[start : start + 10]

    slow = Slow()
    slow.__dict__.update(world.rows.__dict__)
    world.rows = slow
    index = world.another()
    with pytest.raises(StorageError):
        world.seen(index)
    assert SNAPSHOT in world.files.objects
    assert world.seen(world.another()) == world.seen(index) == set(ids(0, 40))
