"""The rules of an Alpaca record."""

from typing import Any

from brightrun.validation.fields import has_type, note_extra, note_missing
from brightrun.validation.notes import Notes
from brightrun.validation.turns import Spoken

_KNOWN = ("instruction", "input", "output", "system", "history")


def examine_alpaca(record: dict[str, Any], note: Notes) -> list[Spoken]:
    """Note every problem of a record and return its texts in order, the output last."""
    note_extra(record, _KNOWN, "", note)
    incomplete = note_missing(record, ("instruction", "output"), "", note)
    strings = {
        name: record[name]
        for name in ("system", "instruction", "input", "output")
        if name in record and has_type(record[name], str, f"/{name}", note)
    }
    history = _history(record.get("history"), note)
    if incomplete or "instruction" not in strings or "output" not in strings:
        return []
    if not strings["instruction"].strip() and not strings.get("input", "").strip():
        note("empty_turn", "/instruction")
    if not strings["output"].strip():
        note("no_trainable_answer", "/output")
    asked = "user" if not strings["instruction"].strip() else "input"  # one turn, not two
    roles = {"system": "system", "instruction": "user", "input": asked, "output": "assistant"}
    own = [
        Spoken(f"/{name}", roles[name], text, name == "output")
        for name, text in strings.items()
        if text.strip()
    ]
    return own[:-1] + history + own[-1:]


def _history(history: Any, note: Notes) -> list[Spoken]:
    """Read the earlier exchanges: a list of [user, answer]."""
    if history is None or not has_type(history, list, "/history", note):
        return []
    turns: list[Spoken] = []
    for index, exchange in enumerate(history):
        place = f"/history/{index}"
        if not has_type(exchange, list, place, note):
            continue
        if len(exchange) != 2:
            note("wrong_type", place, f"{len(exchange)} texts instead of 2")
            continue
        for at, (role, text) in enumerate(zip(("user", "assistant"), exchange, strict=True)):
            spot = f"{place}/{at}"
            if not has_type(text, str, spot, note):
                continue
            if not text.strip():
                note("empty_turn", spot)
            turns.append(Spoken(spot, role, text, False))
    return turns
