"""Keeps the rows of tables encoded, of transactions a digest, and copies rows quickly.

Reason: ministack keeps every attribute of a row as a dictionary of its own, and each transaction
whole for ten minutes, in case that it is sent again: 62 KB for each conversation of a batch. And it
copies a row up to ten times for one update with ``copy.deepcopy``, which is made for any object.
"""

import copy
import hashlib
import json
import marshal
from collections.abc import Iterator, MutableMapping
from types import SimpleNamespace
from typing import Any

Item = dict[str, Any]


class CompactRows(MutableMapping[Any, Item]):
    """The rows of one partition by sort key, encoded; each reading gives a row of its own.

    Marshal's encoding is the fastest for what JSON is made of; it never leaves this process.
    """

    def __init__(self) -> None:
        self._encoded: dict[Any, bytes] = {}

    def __getitem__(self, sort: Any) -> Item:
        row: Item = marshal.loads(self._encoded[sort])  # noqa: S302 - encoded here
        return row

    def __setitem__(self, sort: Any, row: Item) -> None:
        self._encoded[sort] = marshal.dumps(row)

    def __delitem__(self, sort: Any) -> None:
        del self._encoded[sort]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __contains__(self, sort: object) -> bool:
        return sort in self._encoded


class RequestDigest:
    """What a transaction asked for, to be compared with what is sent under the same token."""

    def __init__(self, request: Item) -> None:
        self._digest = _digest(request)

    def __eq__(self, request: object) -> bool:
        return isinstance(request, dict) and self._digest == _digest(request)

    __hash__ = None  # type: ignore[assignment]


def _digest(request: Item) -> bytes:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).digest()


def install() -> None:
    """Store rows this way from now on; before anything else wraps the writing of a row."""
    from ministack.services import dynamodb

    set_item, store_token = dynamodb._set_item, dynamodb._txn_token_store

    def set_compact(table: dict[str, Any], partition: Any, sort: Any, row: Item) -> Any:
        if partition not in table["items"]:
            table["items"][partition] = CompactRows()
        return set_item(table, partition, sort, row)

    def store_digest(token: str, entry: dict[str, Any]) -> None:
        store_token(token, {**entry, "signature": RequestDigest(entry["signature"])})

    dynamodb._set_item = set_compact
    dynamodb._txn_token_store = store_digest
    dynamodb.copy = SimpleNamespace(deepcopy=deep_copy)


def deep_copy(value: Any) -> Any:
    """Copy what JSON is made of, and anything else as ``copy.deepcopy`` does."""
    kind = type(value)
    if kind is str:
        return value
    if kind is dict:
        return {name: deep_copy(member) for name, member in value.items()}
    if kind is list:
        return [deep_copy(member) for member in value]
    return copy.deepcopy(value)
