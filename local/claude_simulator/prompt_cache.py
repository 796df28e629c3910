"""Prompt caching as usage numbers: which prefix is read, which is written, what it lasts."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.claude_simulator.models import Model
from local.claude_simulator.tokens import PromptBlock, tokens_of

_LIFETIMES = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1)}
_CAPACITY = 1_000


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """The input of one call, in tokens; the three parts that `usage` reports add up to it."""

    uncached: int
    read: int = 0
    written: int = 0
    written_ttl: str = "5m"

    @property
    def total(self) -> int:
        """All input tokens, cached ones included."""
        return self.uncached + self.read + self.written


def uncached(blocks: list[PromptBlock], model: Model) -> PromptTokens:
    """The tokens of a prompt for which caching plays no part."""
    return PromptTokens(tokens_of(sum(len(block.text) for block in blocks), model))


class PromptCache:
    """Remembers prompt prefixes by digest until their lifetime ends; the oldest go first."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._expiry: OrderedDict[str, datetime] = OrderedDict()

    def clear(self) -> None:
        """Forget every prefix."""
        self._expiry.clear()

    def account(self, blocks: list[PromptBlock], model: Model) -> PromptTokens:
        """Split a prompt into read, written and uncached tokens, and remember its prefixes.

        A prefix ends at a breakpoint; one below the model's minimum is silently not cached.
        """
        total = uncached(blocks, model).total
        prefixes = _prefixes(blocks, model)
        if not prefixes:
            return PromptTokens(total)
        now = self._clock()
        read = max((p.tokens for p in prefixes if self._holds(p.digest, now)), default=0)
        for prefix in prefixes:
            self._remember(prefix.digest, now + _LIFETIMES[prefix.ttl])
        last = prefixes[-1]
        return PromptTokens(total - last.tokens, read, last.tokens - read, last.ttl)

    def _holds(self, digest: str, now: datetime) -> bool:
        expiry = self._expiry.get(digest)
        return expiry is not None and now < expiry

    def _remember(self, digest: str, expiry: datetime) -> None:
        self._expiry[digest] = expiry
        self._expiry.move_to_end(digest)
        while len(self._expiry) > _CAPACITY:
            self._expiry.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Prefix:
    digest: str
    tokens: int
    ttl: str


def _prefixes(blocks: list[PromptBlock], model: Model) -> list[_Prefix]:
    digest = hashlib.sha256(model.id.encode())
    characters = 0
    prefixes = []
    for block in blocks:
        digest.update(block.text.encode())
        characters += len(block.text)
        tokens = tokens_of(characters, model)
        if block.cache_ttl and tokens >= model.minimum_cacheable_tokens:
            prefixes.append(_Prefix(digest.hexdigest(), tokens, block.cache_ttl))
    return prefixes
