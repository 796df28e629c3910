"""Identifiers: time-ordered for records listed by age, derived where a retry must not duplicate."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta

NIL_UUID = "00000000-0000-0000-0000-000000000000"
"""Means "no template chosen" in requests, as in v1."""
GREATEST_UUID = str(uuid.UUID(int=(1 << 128) - 1))
"""Sorts after every id."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("6f0f1c3e-7f0b-5c55-9a3c-0c6c8b1e5d21")


def time_ordered_id(now: datetime) -> str:
    """Create a UUID version 7, which sorts by its creation time in milliseconds (RFC 9562, 5.7)."""
    value = (_milliseconds(now) << 80) | (0x7 << 76) | (secrets.randbits(12) << 64)
    value |= (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def derived_time_ordered_id(timestamp: datetime, name: str) -> str:
    """Derive such an id from a timestamp and a name, so that a repetition gives the same one."""
    digest = uuid.uuid5(_NAMESPACE, name).int
    value = (_milliseconds(timestamp) << 80) | (0x7 << 76) | (digest & ((1 << 76) - 1))
    return str(uuid.UUID(int=value & ~(0b11 << 62) | (0b10 << 62)))


def first_id_at(timestamp: datetime) -> str:
    """The least time-ordered id that can be created at a timestamp, as a bound for queries."""
    return str(uuid.UUID(int=_milliseconds(timestamp) << 80))


def last_id_at(timestamp: datetime) -> str:
    """The greatest time-ordered id that can be created in a timestamp's millisecond, as a bound."""
    return str(uuid.UUID(int=(_milliseconds(timestamp) << 80) | ((1 << 80) - 1)))


def made_at(identifier: str) -> datetime:
    """When a time-ordered id was created."""
    return _EPOCH + timedelta(milliseconds=made_at_ms(identifier))


def made_at_ms(identifier: str) -> int:
    """When a time-ordered id was created, in milliseconds since 1970."""
    return uuid.UUID(identifier).int >> 80


def _milliseconds(timestamp: datetime) -> int:
    """Whole milliseconds since 1970, in the 48 bits of an id; 0 for an earlier timestamp."""
    return max(0, (timestamp - _EPOCH) // timedelta(milliseconds=1)) & ((1 << 48) - 1)


def new_attempt() -> str:
    """Create the name of one attempt to write, below which its objects stand."""
    return secrets.token_hex(6)


def item_id(job_id: str, position: int) -> str:
    """Derive the id of the item at `position` of a job, so that planning is repeatable."""
    return str(uuid.uuid5(_NAMESPACE, f"item:{job_id}:{position}"))


def conversation_id(item: str) -> str:
    """Derive the id of an item's conversation, so that every attempt writes the same objects."""
    return str(uuid.uuid5(_NAMESPACE, f"conversation:{item}"))


def imported_conversation_id(owner_id: str, text: str) -> str:
    """Derive the id of a conversation without one, so that a second import is a duplicate."""
    return str(uuid.uuid5(_NAMESPACE, f"imported:{owner_id}:{text}"))
