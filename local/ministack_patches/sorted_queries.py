"""Queries that read the rows of their page, from keys kept in order.

Reason: ministack sorts a whole partition for every query and tests each of its rows, so that a page
of 25 takes seconds in a table of 50,000. The rows that it is given here are those that it would
choose; it still checks the request, filters, projects and counts.
"""

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from itertools import islice
from operator import itemgetter
from types import FunctionType
from typing import Any

Table = dict[str, Any]
Item = dict[str, Any]
BaseKey = tuple[Any, Any]
Entry = tuple[Any, Any, Any]
"""The value of the sort key, and the keys of the table, which break ties."""

_CONDITION = re.compile(
    r"\s*(?P<partition>[\w.-]+)\s*=\s*:\w+(?:\s+AND\s+(?:"
    r"(?P<compared>[\w.-]+)\s*(?P<sign>=|<=|>=|<|>)\s*(?P<value>:\w+)"
    r"|(?P<between>[\w.-]+)\s+BETWEEN\s+(?P<low>:\w+)\s+AND\s+(?P<high>:\w+)"
    r"|begins_with\s*\(\s*(?P<begun>[\w.-]+)\s*,\s*(?P<prefix>:\w+)\s*\)))?\s*"
)
"""The conditions that are answered here; another one takes ministack's own way."""
_PAGE_BYTES = 1_048_576
_sort_value = itemgetter(0)


class _Order:
    """The keys of a table, or of one of its indexes, by partition and sort key."""

    def __init__(self, partition_key: str, sort_key: str) -> None:
        self.partition_key = partition_key
        self.sort_key = sort_key
        self.partitions: dict[Any, list[Entry]] = {}
        self._places: dict[BaseKey, tuple[Any, Entry]] = {}

    def add(self, base: BaseKey, partition: Any, sort: Any) -> None:
        """Enter a row."""
        entry = (sort, *base)
        self._places[base] = (partition, entry)
        insort(self.partitions.setdefault(partition, []), entry)

    def remove(self, base: BaseKey) -> None:
        """Take out a row; does nothing if it has not been entered."""
        if base in self._places:
            partition, entry = self._places.pop(base)
            entries = self.partitions[partition]
            del entries[bisect_left(entries, entry)]


class SortedQueries:
    """Ministack's `Query`, given the rows of one page only."""

    def __init__(self) -> None:
        from ministack.services import dynamodb

        self._dynamodb = dynamodb
        self._index_item = dynamodb._index_item
        self._query = dynamodb._query
        # By table: its items, to notice when they are replaced as a whole, and its orders.
        self._orders: dict[str, tuple[Any, dict[str | None, _Order]]] = {}
        self._page: ContextVar[Table | None] = ContextVar("page", default=None)
        self._own = {"_tables": self, "_evaluate_condition": self._holds}

    def install(self) -> None:
        """Answer queries this way from now on."""
        self._dynamodb._index_item = self.index_item
        self._dynamodb._query = self.query

    def index_item(self, table: Table, pk: Any, sk: Any, item: Item, add: bool) -> None:
        """Follow a change of a row."""
        self._index_item(table, pk, sk, item, add)
        items, orders = self._orders.get(table["TableId"], (None, {}))
        if items is not table["items"]:
            self._orders.pop(table["TableId"], None)
            return
        for order in orders.values():
            order.remove((pk, sk))
            if add:
                self._enter(table, order, pk, sk, item)

    def query(self, data: Mapping[str, Any]) -> Any:
        """Answer a query."""
        page = self._page_of(data)
        if page is None:
            return self._query(data)
        token = self._page.set(page)
        try:
            # Of the module as it is now: others patch it, too.
            names = {**vars(self._dynamodb), **self._own}
            return FunctionType(self._query.__code__, names)(data)
        finally:
            self._page.reset(token)

    def get(self, _name: str, _default: Any = None) -> Table | None:
        """The table with the rows of the page, in the place of ministack's tables."""
        return self._page.get()

    def _holds(self, expression: str, item: Item, *rest: Any, slot: str) -> Any:
        """Evaluate a filter; the rows of a page were chosen by the key condition."""
        if slot == "KeyConditionExpression":
            return True
        return self._dynamodb._evaluate_condition(expression, item, *rest, slot=slot)

    def _page_of(self, data: Mapping[str, Any]) -> Table | None:
        """The table with the rows that the page can have; None for a request of another kind."""
        table = self._dynamodb._tables.get(self._dynamodb._normalize_table_name(data["TableName"]))
        order = table and self._order(table, data.get("IndexName"))
        if not order:
            return None
        try:
            keys = self._keys(table, order, data)
        except (LookupError, TypeError, ValueError, AttributeError):
            return None
        rows = self._rows(table, keys, data) if keys is not None else None
        return None if rows is None else _only(table, data.get("IndexName"), order, rows)

    def _order(self, table: Table, index: str | None) -> _Order | None:
        """The order of a table or index, made with its first query; None without a sort key."""
        items, orders = self._orders.get(table["TableId"], (None, {}))
        if items is not table["items"]:
            orders = {}
            self._orders[table["TableId"]] = (table["items"], orders)
        definition = self._dynamodb._index_def(table, index) if index else table
        schema = definition["KeySchema"] if definition else []
        if [key["KeyType"] for key in schema] != ["HASH", "RANGE"]:
            return None
        keys = tuple(key["AttributeName"] for key in schema)
        order = orders.get(index)
        if order is None or (order.partition_key, order.sort_key) != keys:
            order = orders[index] = _Order(*keys)
            for pk, rows in table["items"].items():
                for sk, item in rows.items():
                    self._enter(table, order, pk, sk, item)
        return order

    def _enter(self, table: Table, order: _Order, pk: Any, sk: Any, item: Item) -> None:
        if order.partition_key in item and order.sort_key in item:
            partition = self._dynamodb._extract_key_val(item[order.partition_key])
            order.add((pk, sk), partition, self._sortable(table, order, item[order.sort_key]))

    def _sortable(self, table: Table, order: _Order, value: Mapping[str, Any]) -> Any:
        kind = self._dynamodb._get_attr_type(table, order.sort_key)
        if list(value) != [kind]:
            raise TypeError("a value that the key cannot have")
        return self._dynamodb._sort_key_value(value, kind)

    def _keys(
        self, table: Table, order: _Order, data: Mapping[str, Any]
    ) -> Iterator[BaseKey] | None:
        """The keys of the rows from where the page begins, in the order of the query."""
        names = data.get("ExpressionAttributeNames", {})
        text = re.sub(r"#\w+", lambda found: names[found[0]], data["KeyConditionExpression"])
        found = _CONDITION.fullmatch(text)
        if not found or found["partition"] != order.partition_key:
            return None
        if (found["compared"] or found["between"] or found["begun"]) not in (None, order.sort_key):
            return None
        values = data["ExpressionAttributeValues"]
        partition = self._dynamodb._extract_pk_from_condition(
            data["KeyConditionExpression"], values, names, order.partition_key
        )
        entries = order.partitions.get(partition, [])
        bounds = {
            name: self._sortable(table, order, values[found[name]])
            for name in ("value", "low", "high", "prefix")
            if found[name]
        }
        first, last = _between(entries, found["sign"], bounds)
        forward = data.get("ScanIndexForward", True)
        if start := data.get("ExclusiveStartKey"):
            first, last = self._after(table, order, start, entries, (first, last), forward)
        positions = range(first, last) if forward else range(last - 1, first - 1, -1)
        return (entries[position][1:] for position in positions)

    def _after(
        self,
        table: Table,
        order: _Order,
        start: Item,
        entries: Sequence[Entry],
        bounds: tuple[int, int],
        forward: bool,
    ) -> tuple[int, int]:
        """The part of the bounds that is behind an exclusive start key."""
        key_of = self._dynamodb._extract_key_val
        base = (key_of(start[table["pk_name"]]), key_of(start[table["sk_name"]]))
        entry = (self._sortable(table, order, start[order.sort_key]), *base)
        if forward:
            return max(bounds[0], bisect_right(entries, entry)), bounds[1]
        return bounds[0], min(bounds[1], bisect_left(entries, entry))

    def _rows(
        self, table: Table, keys: Iterator[BaseKey], data: Mapping[str, Any]
    ) -> dict[BaseKey, Item]:
        """The rows up to the limit, or beyond the megabyte where the page ends."""
        rows: dict[BaseKey, Item] = {}
        size = 0
        for pk, sk in islice(keys, data.get("Limit")):
            item = table["items"][pk][sk]
            rows[pk, sk] = item
            entry = self._dynamodb._apply_index_projection(item, table, data.get("IndexName"))
            size += self._dynamodb._item_size_bytes(entry)
            if size > _PAGE_BYTES:
                break
        return rows


def _between(
    entries: Sequence[Entry], sign: str | None, bounds: Mapping[str, Any]
) -> tuple[int, int]:
    """The first position that a condition on the sort key admits, and the one behind the last."""
    first, last = 0, len(entries)
    if prefix := bounds.get("prefix"):
        first = bisect_left(entries, prefix, key=_sort_value)
        return first, bisect_right(entries, prefix, key=lambda entry: entry[0][: len(prefix)])
    low = bounds.get("low") if sign is None else bounds["value"]
    high = bounds.get("high") if sign is None else bounds["value"]
    if low is not None and sign in (None, "=", ">="):
        first = bisect_left(entries, low, key=_sort_value)
    if low is not None and sign == ">":
        first = bisect_right(entries, low, key=_sort_value)
    if high is not None and sign in (None, "=", "<="):
        last = bisect_right(entries, high, key=_sort_value)
    if high is not None and sign == "<":
        last = bisect_left(entries, high, key=_sort_value)
    return first, max(first, last)


def _only(table: Table, index: str | None, order: _Order, rows: Mapping[BaseKey, Item]) -> Table:
    """The table with these rows alone."""
    items: dict[Any, dict[Any, Item]] = {}
    members: dict[Any, dict[BaseKey, None]] = {}
    for (pk, sk), item in rows.items():
        items.setdefault(pk, {})[sk] = item
        ((_, partition),) = item[order.partition_key].items()
        members.setdefault(partition, {})[pk, sk] = None
    return {**table, "items": items, "_index_members": {index: members}}
