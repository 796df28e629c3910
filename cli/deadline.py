"""When a batch is to be done: a time, or how far ahead it is."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cli.client import Document
from cli.errors import UsageError
from cli.text import format_time, plain

if TYPE_CHECKING:
    from rich.console import Console

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AHEAD = re.compile(r"(\d{1,5})([mhd])")
_HINT = "Give a duration such as 45m, 6h or 2d, or a time with its zone: 2026-12-01T18:00+01:00."


def timestamp(given: str, now: datetime) -> str:
    """The timestamp of a duration from now, or of a time with its zone, in ISO 8601 and UTC.

    Raises UsageError. Whether it can be met is for the server to say.
    """
    if ahead := _AHEAD.fullmatch(given.strip()):
        amount, unit = ahead.groups()
        return _utc(now + timedelta(**{_UNITS[unit]: int(amount)}))
    try:
        time = datetime.fromisoformat(given.strip().replace("Z", "+00:00"))
        if time.tzinfo is not None:
            return _utc(time)
    except (ValueError, OverflowError):
        pass
    raise UsageError(f"--done-by {given!r} is no duration, and no time with a zone.", hint=_HINT)


def show_deadline(console: "Console", deadline: Document) -> None:
    """Show how a batch is done in time, and why so."""
    for sentence in (deadline["reason"], deadline["notice"]):
        if sentence:
            console.print(plain(sentence), soft_wrap=True)


def expected_ends(deadline: Document) -> dict[str, str]:
    """When each lane would end, and when the batch goes over from one to the other."""
    ends = {
        f"{end['lane']} ends": f"about {format_time(end['likely'])} UTC, at the latest "
        f"{format_time(end['latest'])} UTC"
        for end in deadline["ends"]
    }
    switch = deadline["switchAt"]
    return {
        "done by": f"{format_time(deadline['doneBy'])} UTC",
        **ends,
        **({"realtime from": f"{format_time(switch)} UTC"} if switch else {}),
    }


def told(document: Document) -> str | None:
    """The deadline of a batch, its lane, and whether it was done in time; None without one."""
    if (done_by := document.get("done_by")) is None:
        return None
    parts = [f"{format_time(done_by)} UTC"]
    if document["switch_at"]:
        parts.append(f"realtime from {format_time(document['switch_at'])} UTC")
    if (on_time := document["was_on_time"]) is not None:
        parts.append("done in time" if on_time else "not done in time")
    return "; ".join(parts)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
