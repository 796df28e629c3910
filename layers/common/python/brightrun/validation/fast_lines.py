"""Runs a format's check over the lines of a piece."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from brightrun.validation.asides import AsidesCheck
from brightrun.validation.facts import UNUSUAL, Facts, FastCheck, Line

# What gathers one kind of small fields from decoded lines, and the check of that kind
Asides = tuple[Callable[[Sequence[Any]], list[msgspec.Raw]], AsidesCheck]
FactsOf = Callable[[Line, Any], Facts | None]


def line_check(shape: Any, asides: Sequence[Asides], facts_of: FactsOf) -> FastCheck:
    """Return a check that decodes lines into `shape` and asks `facts_of` about each."""
    decode = msgspec.json.Decoder(shape).decode

    def decoded(line: Line) -> Any:
        try:
            return decode(line)
        except UNUSUAL:
            return None

    def sound(founds: Sequence[Any]) -> bool:
        return all(check(gather(founds)) is not None for gather, check in asides)

    def facts_if_sound(line: Line, found: Any) -> Facts | None:
        return facts_of(line, found) if found is not None and sound((found,)) else None

    def check(lines: Sequence[Line]) -> list[Facts | None]:
        try:
            founds = list(map(decode, lines))
        except UNUSUAL:
            founds = list(map(decoded, lines))
        if sound([found for found in founds if found is not None]):
            return [
                None if found is None else facts_of(line, found)
                for line, found in zip(lines, founds, strict=True)
            ]
        return list(map(facts_if_sound, lines, founds))

    return check
