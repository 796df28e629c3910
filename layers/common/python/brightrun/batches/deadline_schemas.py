"""The parts of requests and responses that tell when a batch is to be done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

from brightrun.batches.model import Lane
from brightrun.core.timestamps import iso
from brightrun.http.schemas import CamelNestedModel

_BEGIN = re.compile(r"\d{4}-\d\d-\d\d[Tt]")
_MOST_CHARACTERS = 40


def _require_iso_time(time: object) -> object:
    """Accept only a date and a time; pydantic would read a number as seconds since 1970."""
    is_text = isinstance(time, str) and len(time) <= _MOST_CHARACTERS
    if not is_text or not _BEGIN.match(str(time)):
        raise ValueError("Write the time as 2026-11-21T18:00:00+01:00, or with Z for UTC.")
    return time


Timestamp = Annotated[
    AwareDatetime,
    BeforeValidator(_require_iso_time),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": _MOST_CHARACTERS}),
]
"""A moment of a request, with its time zone."""


def _iso(time: datetime | None) -> str | None:
    return None if time is None else iso(time)


IsoTime = Annotated[str, BeforeValidator(_iso)]
"""A moment of a response, in UTC."""


class LaneEndView(CamelNestedModel):
    """When the batch would end in a lane; the economy lane's `latest` has a repair in it."""

    lane: Lane
    likely: IsoTime
    latest: IsoTime


class DeadlineView(CamelNestedModel):
    """How the batch would be done by its time.

    It begins in the preview's `lane`; at `switchAt`, what Claude has not answered there goes over
    to realtime. `reason` says why, and `notice` that it will or may be late all the same.
    """

    done_by: IsoTime
    switch_at: Annotated[str | None, BeforeValidator(_iso)]
    ends: Sequence[LaneEndView]
    reason: str
    notice: str | None
