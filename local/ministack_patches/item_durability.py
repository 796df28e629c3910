"""Journals every change of a table item before the request that made it is answered.

A change for which the disk has no room is taken back, so that nobody reads what a restart loses.

Reason: ministack writes tables to disk only at a clean stop, and then whole.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from local.durability.item_journal import Effect, ItemJournal
from local.durability.room import DiskFull

Table = dict[str, Any]

Change = tuple[Effect, Callable[[], Any]]
"""What a write left behind, and what takes it back in memory."""

_request_changes: ContextVar[list[Change] | None] = ContextVar("request_changes", default=None)


class ItemDurability:
    """Ministack's tables, with their items in a journal at ``path`` instead of the snapshot."""

    def __init__(self, path: Path) -> None:
        from ministack.services import dynamodb

        self._dynamodb = dynamodb
        self._set_item = dynamodb._set_item
        self._remove_item = dynamodb._remove_item
        self._handle_request = dynamodb.handle_request
        self._get_state = dynamodb.get_state
        self._journal = ItemJournal(path, self._live_items)

    def install(self) -> None:
        """Journal from now on."""
        self._dynamodb._set_item = self._set_and_note
        self._dynamodb._remove_item = self._remove_and_note
        self._dynamodb.handle_request = self._handle_and_journal
        self._dynamodb.get_state = self._state_without_items

    def replay(self) -> None:
        """Restore the items, once the tables are loaded; those of deleted tables are dropped."""
        tables = {table["TableId"]: table for table in self._dynamodb._tables.all_values()}

        def apply(effect: Effect) -> None:
            kind, table_id, *rest = effect
            table = tables.get(table_id)
            if table is None:
                return
            if kind == "put":
                self._set_item(table, *self._key_of(table, rest[0]), rest[0])
            else:
                self._remove_item(table, *rest)

        self._journal.replay(apply)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _set_and_note(self, table: Table, partition: Any, sort: Any, item: Any) -> Any:
        old = self._set_item(table, partition, sort, item)

        def take_back() -> None:
            if old is None:
                self._remove_item(table, partition, sort)
            else:
                self._set_item(table, partition, sort, old)

        self._note((["put", table["TableId"], item], take_back))
        return old

    def _remove_and_note(self, table: Table, partition: Any, sort: Any) -> Any:
        old = self._remove_item(table, partition, sort)
        if old is not None:
            effect = ["delete", table["TableId"], partition, sort]
            self._note((effect, lambda: self._set_item(table, partition, sort, old)))
        return old

    def _note(self, change: Change) -> None:
        changes = _request_changes.get()
        if changes is None:
            self._stored([change])
        else:
            changes.append(change)

    async def _handle_and_journal(self, *request: Any) -> Any:
        from ministack.core.responses import error_response_json

        changes: list[Change] = []
        token = _request_changes.set(changes)
        try:
            response = await self._handle_request(*request)
        finally:
            _request_changes.reset(token)
            full = self._stored(changes)
        return error_response_json("InternalServerError", str(full), 500) if full else response

    def _stored(self, changes: list[Change]) -> DiskFull | None:
        """Journal changes as one line, so that a transaction is kept whole.

        Where there is no room for it they are taken back in memory, and the reason is returned.
        """
        if not changes:
            return None
        try:
            self._journal.append([effect for effect, _ in changes])
        except DiskFull as full:
            for _, take_back in reversed(changes):
                take_back()
            return full
        return None

    def _key_of(self, table: Table, item: dict[str, Any]) -> tuple[Any, Any]:
        partition = self._dynamodb._extract_key_val(item[table["pk_name"]])
        if not table["sk_name"]:
            return partition, "__no_sort__"
        return partition, self._dynamodb._extract_key_val(item[table["sk_name"]])

    def _live_items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for table in self._dynamodb._tables.all_values():
            for partition in list(table["items"].values()):
                for sort in list(partition):  # one row at a time: they are kept encoded
                    if item := partition.get(sort):
                        yield table["TableId"], item

    def _state_without_items(self) -> dict[str, Any]:
        tables = self._dynamodb._tables
        bare = type(tables)()
        for (account, region, name), table in tables.all_items():
            bare.set_scoped(account, region, name, {**table, "items": {}, "ItemCount": 0})
        self._dynamodb._tables = bare
        try:
            state: dict[str, Any] = self._get_state()
        finally:
            self._dynamodb._tables = tables
        return state
