"""The operations on an item's row: a lease, with what it reserves, and the end of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from brightrun.aws.transactions import update
from brightrun.batches.log import LogLine
from brightrun.batches.model import BatchItem, BatchJob, Cap, ItemStatus, Lease
from brightrun.core.errors import CapReachedError
from brightrun.core.timestamps import epoch_ms, iso

Claim = tuple[BatchItem, LogLine]
"""An item to lease, and what the log says of it."""
LEASE_FIELDS = ("lease_token", "lease_expires_at", "retry_at", "reserved_micro_usd")


def item_key(item: BatchItem) -> dict[str, Any]:
    """The primary key of an item."""
    return {"job_key": item.job_key, "position": item.position}


def to_reserve(item: BatchItem, cap: Cap) -> int:
    """What a claim reserves; nothing where the worker that had the item before has done so."""
    return 0 if item.reserved_micro_usd else cap.item_bound_micro_usd


def affordable(pairs: Sequence[Claim], job: BatchJob) -> list[Claim]:
    """As many of the claims as the job's cap pays for; raises CapReachedError if that is none."""
    paid = [pair for pair in pairs if pair[0].reserved_micro_usd]
    unpaid = [pair for pair in pairs if not pair[0].reserved_micro_usd]
    if not paid and not job.affordable_items:
        raise CapReachedError("The job's cap pays for no further item now.")
    return [*paid, *unpaid[: job.affordable_items]]


def with_lease(item: BatchItem, lease: Lease, cap: Cap | None) -> BatchItem:
    """The item after `claim_operation`."""
    return dataclasses.replace(
        item,
        status=ItemStatus.PROCESSING,
        attempts=item.attempts + 1,
        lease_token=lease.token,
        lease_expires_at=lease.expires_at,
        reserved_micro_usd=item.reserved_micro_usd + (to_reserve(item, cap) if cap else 0),
    )


def claim_operation(
    table: str, item: BatchItem, lease: Lease, now: datetime, cap: Cap | None
) -> dict[str, Any]:
    """Lease an item that is queued or whose lease has expired, if it is still as it was read."""
    reserve = to_reserve(item, cap) if cap else 0
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
                **({"reserved_micro_usd": reserve} if reserve else {}),
            },
            remove=("retry_at",),
            **_claimable(item, now),
        )
    }


def transition_operation(
    table: str, item: BatchItem, status: ItemStatus, now: datetime
) -> dict[str, Any]:
    """Cancel an item that no worker holds, or queue an ended item as a new generation."""
    requeued = status is ItemStatus.QUEUED
    condition = _unchanged(item) if requeued else _claimable(item, now)
    reset = {"generation": item.generation + 1, "attempts": 0} if requeued else {}
    remove = (*LEASE_FIELDS, "error_code", "error_message") if requeued else LEASE_FIELDS
    return {
        "Update": update(
            table,
            item_key(item),
            set_to={"status": status.value, "updated_at": iso(now), **reset},
            remove=remove,
            **condition,
        )
    }


def _claimable(item: BatchItem, now: datetime) -> dict[str, Any]:
    """Condition: unchanged since it was read, and claimable at `now`."""
    if item.status is ItemStatus.QUEUED:
        return _unchanged(item)
    return {
        "condition": "#status = :status AND #lease_token = :token AND #lease_expires_at <= :now",
        "values": {
            "status": item.status.value,
            "token": item.lease_token,
            "now": epoch_ms(now),
        },
    }


def _unchanged(item: BatchItem) -> dict[str, Any]:
    return {
        "condition": "#status = :status AND #generation = :generation AND #attempts = :attempts",
        "values": {
            "status": item.status.value,
            "generation": item.generation,
            "attempts": item.attempts,
        },
    }
