"""The single writes that claims are made of; each carries the condition that makes it safe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brightrun.domain.batch import BatchItem, Lease
from brightrun.domain.moments import epoch_ms, iso
from brightrun.domain.transitions import ItemStatus
from brightrun.ports import Outcome
from brightrun.repositories.batch_rows import job_key_parts
from brightrun.repositories.dynamodb import row_of, to_wire
from brightrun.repositories.transactions import update

OPEN_TO_CLAIMS = "#status = :processing AND attribute_not_exists(stop_reason)"
NOT_ENDED = "#status IN (:processing, :paused)"
_JOB_STATUSES = {"processing": "processing", "paused": "paused"}
_HOLD = ("lease_token", "lease_expires_at", "retry_at")


def item_key(item: BatchItem) -> dict[str, Any]:
    """The primary key of an item."""
    return {"job_key": item.job_key, "position": item.position}


def leased(item: BatchItem, lease: Lease) -> BatchItem:
    """The item as `taken` leaves it."""
    return dataclasses.replace(
        item,
        status=ItemStatus.PROCESSING,
        attempts=item.attempts + 1,
        lease_token=lease.token,
        lease_expires_at=lease.expires_at,
    )


def taken(table: str, item: BatchItem, lease: Lease, now: datetime) -> dict[str, Any]:
    """Lease an item that is queued, or whose lease has run out, exactly as it was read."""
    return {
        "Update": update(
            table,
            item_key(item),
            set_to={
                "status": ItemStatus.PROCESSING.value,
                "attempts": item.attempts + 1,
                "lease_token": lease.token,
                "lease_expires_at": lease.expires_at,
                "updated_at": iso(now),
            },
            remove=("retry_at",),
            **_unheld(item, now),
        )
    }


def moved(table: str, item: BatchItem, status: ItemStatus, now: datetime) -> dict[str, Any]:
    """Cancel an item nobody holds, or queue one that has ended as a new generation."""
    again = status is ItemStatus.QUEUED
    condition = _as_read(item) if again else _unheld(item, now)
    reset = {"generation": item.generation + 1, "attempts": 0} if again else {}
    forget = (*_HOLD, "error_code", "error_message") if again else _HOLD
    return {
        "Update": update(
            table,
            item_key(item),
            set_to={"status": status.value, "updated_at": iso(now), **reset},
            remove=forget,
            **condition,
        )
    }


def ended(table: str, item: BatchItem, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Give up the hold on an item, with its result; only the lease's owner can."""
    facts = {
        "conversation_id": outcome.conversation.conversation_id
        if outcome.conversation
        else item.conversation_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "retry_at": outcome.retry_at,
    }
    return {
        "Update": update(
            table,
            item_key(item),
            set_to={
                "status": outcome.status.value,
                "updated_at": iso(now),
                **{name: value for name, value in facts.items() if value is not None},
            },
            remove=[name for name in dict.fromkeys((*_HOLD, *facts)) if facts.get(name) is None],
            condition="#status = :processing AND #lease_token = :token",
            values={"processing": ItemStatus.PROCESSING.value, "token": item.lease_token},
        )
    }


def counted(
    table: str,
    item: BatchItem,
    counters: Mapping[str, int],
    now: datetime,
    *,
    only_while: str | None = None,
    outcome: Outcome | None = None,
) -> dict[str, Any]:
    """Add to the counters of an item's job; `only_while` is one of the conditions above."""
    set_to: dict[str, Any] = {"updated_at": iso(now)}
    if outcome is not None and outcome.simulated:
        set_to["simulated"] = True
    if outcome is not None and outcome.stop_reason is not None:
        set_to["stop_reason"] = outcome.stop_reason
    return {
        "Update": update(
            table,
            job_key_parts(item.job_key),
            set_to=set_to,
            add={name: amount for name, amount in counters.items() if amount},
            condition=only_while or "attribute_exists(job_id)",
            values={
                name: value
                for name, value in _JOB_STATUSES.items()
                if only_while and f":{name}" in only_while
            },
        )
    }


def stored(table: str, record: Any) -> dict[str, Any]:
    """Put a record whose id belongs to the item, beside the item's own change."""
    return {"Put": {"TableName": table, "Item": to_wire(row_of(record))}}


def _unheld(item: BatchItem, now: datetime) -> dict[str, Any]:
    """Condition: as it was read, and free to take at `now`."""
    if item.status is ItemStatus.QUEUED:
        return _as_read(item)
    return {
        "condition": "#status = :status AND #lease_token = :token AND #lease_expires_at <= :now",
        "values": {
            "status": item.status.value,
            "token": item.lease_token,
            "now": epoch_ms(now),
        },
    }


def _as_read(item: BatchItem) -> dict[str, Any]:
    return {
        "condition": "#status = :status AND #generation = :generation AND #attempts = :attempts",
        "values": {
            "status": item.status.value,
            "generation": item.generation,
            "attempts": item.attempts,
        },
    }
