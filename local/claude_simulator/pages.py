"""Cursor pages as the list endpoints return them."""

from __future__ import annotations

from typing import Any

from local.claude_simulator.api_errors import invalid

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1_000


def page(items: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """The page after `after_id` or before `before_id`, of `limit` items (1 to 1000, default 20).

    ApiError 400 for a limit out of range or an unknown cursor.
    """
    limit = _limit(query.get("limit", str(_DEFAULT_LIMIT)))
    ids = [item["id"] for item in items]
    if "before_id" in query:
        end = _index(ids, query["before_id"])
        start = max(0, end - limit)
        more = start > 0
    else:
        start = _index(ids, query["after_id"]) + 1 if "after_id" in query else 0
        end = min(len(items), start + limit)
        more = end < len(items)
    rows = items[start:end]
    return {
        "data": rows,
        "has_more": more,
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
    }


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_LIMIT:
        raise invalid(f"limit: Input should be between 1 and {_MAX_LIMIT}")
    return int(text)


def _index(ids: list[str], cursor: str) -> int:
    if cursor not in ids:
        raise invalid(f"'{cursor}' does not name an item of this list")
    return ids.index(cursor)
