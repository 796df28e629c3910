"""The prompt cache: what marked prompts read and write, for five minutes or an hour."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.claude_simulator.models import Model
from local.claude_simulator.tokens import prompt_blocks, tokens_of

_LIFETIMES = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1)}
_DEFAULT_TTL = "5m"
_SWEPT_AT = 10_000
"""Starts that are remembered before those whose time is over are forgotten."""


@dataclass(frozen=True, slots=True)
class _Start:
    """A prompt up to a mark: a hash of its blocks, its tokens, and how long it is to be kept."""

    name: str
    tokens: int
    ttl: str


@dataclass(frozen=True, slots=True)
class CachedTokens:
    """Tokens of one prompt that were read from the cache and written to it."""

    read: int = 0
    written_5m: int = 0
    written_1h: int = 0

    @property
    def written(self) -> int:
        """All that was written."""
        return self.written_5m + self.written_1h


NOTHING_CACHED = CachedTokens()


class PromptCache:
    """Starts of prompts that were marked, by model; a start that is too short is ignored silently.

    A call looks up what it can read when it arrives, and writes when its answer begins, so that of
    calls that arrive together each writes. Reading a start prolongs its life.
    """

    def __init__(self) -> None:
        self._expires: dict[str, datetime] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._expires.clear()

    def look_up(self, body: dict[str, Any], model: Model, now: datetime) -> CachedTokens:
        """What a valid request reads, and so what it has to write."""
        starts = _starts(body, model)
        read = 0
        for start in starts:
            if self._expires.get(start.name, now) > now:
                read = start.tokens
                self._keep(start, now)
        written = dict.fromkeys(_LIFETIMES, 0)
        known = read
        for start in starts:
            if start.tokens > known:
                written[start.ttl] += start.tokens - known
                known = start.tokens
        return CachedTokens(read, written["5m"], written["1h"])

    def write(self, body: dict[str, Any], model: Model, now: datetime) -> None:
        """Keep the marked starts of a request that is answered."""
        if len(self._expires) >= _SWEPT_AT:
            self._expires = {name: at for name, at in self._expires.items() if at > now}
        for start in _starts(body, model):
            self._keep(start, now)

    def _keep(self, start: _Start, now: datetime) -> None:
        until = now + _LIFETIMES[start.ttl]
        self._expires[start.name] = max(until, self._expires.get(start.name, until))


def _starts(body: dict[str, Any], model: Model) -> list[_Start]:
    """The marked starts of a prompt that are long enough, shortest first."""
    starts, characters = [], 0
    name = hashlib.sha256(model.id.encode())
    for block in prompt_blocks(body):
        characters += len(block.text)
        name.update(f"{len(block.text)}:{block.text}".encode())
        tokens = tokens_of(characters, model)
        if block.cache_control is not None and tokens >= model.cache_minimum:
            ttl = block.cache_control.get("ttl") or _DEFAULT_TTL
            starts.append(_Start(name.hexdigest(), tokens, ttl))
    return starts
