"""Journals every change of a table item before the request that made it is answered.

Reason: ministack writes tables to disk only at a clean stop, and then whole.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from local.durability.item_journal import Effect, ItemJournal

Table = dict[str, Any]

_request_effects: ContextVar[list[Effect] | None] = ContextVar("request_effects", default=None)


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
        self._note(["put", table["TableId"], item])
        return old

    def _remove_and_note(self, table: Table, partition: Any, sort: Any) -> Any:
        old = self._remove_item(table, partition, sort)
        if old is not None:
            self._note(["delete", table["TableId"], partition, sort])
        return old

    def _note(self, effect: Effect) -> None:
        effects = _request_effects.get()
        if effects is None:
            self._journal.append([effect])
        else:
            effects.append(effect)

    async def _handle_and_journal(self, *request: Any) -> Any:
        effects: list[Effect] = []
        token = _request_effects.set(effects)
        try:
            return await self._handle_request(*request)
        finally:
            _request_effects.reset(token)
            if effects:  # one line per request, so that a transaction is kept whole
                self._journal.append(effects)

    def _key_of(self, table: Table, item: dict[str, Any]) -> tuple[Any, Any]:
        partition = self._dynamodb._extract_key_val(item[table["pk_name"]])
        if not table["sk_name"]:
            return partition, "__no_sort__"
        return partition, self._dynamodb._extract_key_val(item[table["sk_name"]])

    def _live_items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for table in self._dynamodb._tables.all_values():
            for partition in list(table["items"].values()):
                for item in list(partition.values()):
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
