"""Entries that come while a write is under way are written as one group."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from brightrun.batches.group_commit import GroupCommit
from brightrun.core.errors import StorageError


class SlowTable:
    """Holds the first write back until the test lets it go."""

    def __init__(self) -> None:
        self.writing = threading.Event()
        self.go_on = threading.Event()
        self.groups: list[list[int]] = []

    def write(self, group: Sequence[int]) -> int:
        self.groups.append(list(group))
        self.writing.set()
        assert self.go_on.wait(10)
        if 13 in group:
            raise StorageError("PutItem", "unlucky")
        return len(group)


async def first_then(
    table: SlowTable, entries: Sequence[int], *, most: int
) -> list[int | BaseException]:
    """Add 0, and the entries while it is being written."""
    commits = GroupCommit(table.write, most)
    first = asyncio.create_task(commits.add(0))
    await asyncio.to_thread(table.writing.wait, 10)
    others = [asyncio.create_task(commits.add(entry)) for entry in entries]
    await asyncio.sleep(0)
    table.go_on.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_an_entry_alone_is_written_at_once_and_those_that_came_meanwhile_as_one_group() -> None:
    table = SlowTable()
    assert asyncio.run(first_then(table, [1, 2, 3], most=9)) == [1, 3, 3, 3]
    assert table.groups == [[0], [1, 2, 3]]


def test_no_group_is_larger_than_its_limit() -> None:
    table = SlowTable()
    asyncio.run(first_then(table, [1, 2, 3, 4, 5], most=2))
    assert table.groups == [[0], [1, 2], [3, 4], [5]]


def test_what_a_write_raises_reaches_its_own_group_and_the_next_one_is_written() -> None:
    table = SlowTable()
    first, *others = asyncio.run(first_then(table, [12, 13, 14], most=2))
    assert first == 1
    assert [isinstance(one, StorageError) for one in others] == [True, True, False]
    assert table.groups[-1] == [14]


def test_it_writes_again_after_it_had_nothing_to_write() -> None:
    groups: list[list[int]] = []

    def write(group: Sequence[int]) -> None:
        groups.append(list(group))

    async def one_after_the_other() -> None:
        commits = GroupCommit(write, 5)
        await commits.add(1)
        await commits.add(2)

    asyncio.run(one_after_the_other())
    assert groups == [[1], [2]]


@pytest.mark.parametrize("most", [1, 50])
def test_every_entry_is_written_exactly_once(most: int) -> None:
    written: list[int] = []

    def write(group: Sequence[int]) -> None:
        written.extend(group)

    async def all_at_once() -> None:
        commits = GroupCommit(write, most)
        await asyncio.gather(*(commits.add(entry) for entry in range(200)))

    asyncio.run(all_at_once())
    assert sorted(written) == list(range(200))
