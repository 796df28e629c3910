"""What a job's prompts share at their start, and whether Claude's prompt cache pays for it.

Claude keeps the marked start of a prompt for other calls, which then read it at a tenth of the
price of input or less. Writing it costs more than input, so that one that is not read again costs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Literal

from brightrun.batches.model import BatchJob, Lane
from brightrun.claude.registry import ClaudeModel, recorded_model

SCHEMA_CHARACTERS = 1_400
"""Of the schema of an answer, which stands before every prompt."""
_CHARACTERS_PER_TOKEN = 3
"""About what newer tokenizers count. A start that has fewer is marked in vain, at no cost: what is
below a model's minimum is neither written nor read."""
UNKNOWN_MINIMUM = 1_024
"""From how many tokens on a start is marked for a model whose minimum is not published: that of
Sonnet 5 and 4.5. The pilot tells whether it was enough."""
LEAST_ITEMS: Mapping[Lane, int] = {"realtime": 4, "economy": 200}
"""Conversations from which on it is worth to mark: a Message Batch of few is worked on at once, so
that none finds what another one writes."""
EXPECTED_HITS = 0.64
"""The share of a Message Batch's prompts that find what another one wrote: the middle of the 30 to
98 % that are documented. In the realtime lane one call goes first, so that almost all do."""
PILOT_CALLS = 3
"""Answers for each start and worker after which a cache that has not paid for itself is left."""
HEAD_START_S = 10.0
"""How long the first call with a start goes alone, at the most. The start can be read once the
answer begins, a few seconds after the call. A worker keeps more than that beside the time of a call
(CALL_MARGIN_S)."""


def shared_tokens(characters: int) -> int:
    """About how many tokens a start of system and user prompt has, with the schema before it."""
    return (characters + SCHEMA_CHARACTERS) // _CHARACTERS_PER_TOKEN


class SharedStarts:
    """Finds what the prompts of each template share at their start, prompt by prompt."""

    def __init__(self) -> None:
        self._starts: dict[str, str] = {}
        self._prompts: Counter[str] = Counter()

    def add(self, template_id: str, text: str) -> None:
        """Take in one more prompt, which is none of those before."""
        start = self._starts.setdefault(template_id, text)
        self._starts[template_id] = start[: _common_length(start, text)]
        self._prompts[template_id] += 1

    def lengths(self) -> dict[str, int]:
        """Their lengths in characters, up to the last whole line; 0 of a template's only prompt."""
        return {
            template_id: start.rfind("\n") + 1 if self._prompts[template_id] > 1 else 0
            for template_id, start in self._starts.items()
        }


def _common_length(one: str, other: str) -> int:
    """How many characters two texts share at their start, by halving: prompts have thousands."""
    if other.startswith(one):
        return len(one)
    known, beyond = 0, min(len(one), len(other)) + 1
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            beyond = middle
    return known


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What the marked calls of a job read and wrote, in tokens, and saved by it.

    `saved_micro_usd` is in millionths of a US dollar, and negative where writing cost more.
    """

    calls: int = 0
    read_tokens: int = 0
    written_tokens: int = 0
    saved_micro_usd: int = 0

    @classmethod
    def of(cls, job: BatchJob) -> CacheUse:
        """What is counted of a job."""
        return cls(
            job.cache_calls,
            job.cache_read_tokens,
            job.cache_write_tokens,
            job.cache_saved_micro_usd,
        )

    @property
    def hit_rate(self) -> float | None:
        """The share of the marked tokens that were read from the cache; None without any."""
        cached = self.read_tokens + self.written_tokens
        return self.read_tokens / cached if cached else None

    def plus(self, read_tokens: int, written_tokens: int, saved_micro_usd: int) -> CacheUse:
        """With one more call."""
        return CacheUse(
            self.calls + 1,
            self.read_tokens + read_tokens,
            self.written_tokens + written_tokens,
            self.saved_micro_usd + saved_micro_usd,
        )

    def has_failed(self, job: BatchJob) -> bool:
        """Whether the pilot is over and has not paid for itself.

        Until then each worker writes each start at most once by plan.
        """
        pilot = PILOT_CALLS * max(1, job.shared_starts) * job.concurrent_processing
        return self.calls >= pilot and self.saved_micro_usd <= 0


def may_cache_for_an_hour(job: BatchJob) -> bool:
    """Whether what prompts of a job share may be written at the price for an hour."""
    shared = job.shared_characters
    return job.is_economy and shared is not None and _why_not(job, shared) is None


def cache_notice(job: BatchJob) -> str | None:
    """Why the cache saves a job nothing, in a sentence; None if it does, or may yet."""
    if job.shared_characters is None:
        return None  # A job of an earlier version.
    use = CacheUse.of(job)
    if not use.calls:
        return _why_not(job, job.shared_characters)
    if not use.has_failed(job):
        return None
    if use.hit_rate is None:
        return (
            f"{job.model} cached nothing of the about {shared_tokens(job.shared_characters):,} "
            "tokens that the prompts share, so they are not marked any more."
        )
    return "What was written to the cache was read too seldom to pay, so it was switched off."


def _why_not(job: BatchJob, characters: int) -> str | None:
    """Why a start of so many characters is not marked; None if it is."""
    model, tokens = recorded_model(job.model), shared_tokens(characters)
    if tokens < (model.cache_minimum or UNKNOWN_MINIMUM):
        return f"The prompts share about {tokens:,} tokens at their start, {_below(model)}."
    if job.total_items < LEAST_ITEMS[job.lane]:
        return (
            f"What prompts share is cached from {LEAST_ITEMS[job.lane]} conversations on "
            f"in the {job.lane} lane."
        )
    if job.is_economy and not _pays_in_batches(model, date.fromisoformat(job.created_at[:10])):
        return f"Writing to the cache costs more than it is expected to save with {model.id}."
    return None


def _below(model: ClaudeModel) -> str:
    if model.cache_minimum is not None:
        return f"below the {model.cache_minimum:,} that {model.id} caches"
    return (
        f"below the {UNKNOWN_MINIMUM:,} from which on it is tried with {model.id}, whose minimum "
        "is not published"
    )


def _pays_in_batches(model: ClaudeModel, day: date) -> bool:
    price = model.price_on(day)
    found, written = EXPECTED_HITS * price.cache_read, (1 - EXPECTED_HITS) * price.cache_write_1h
    return found + written < price.input


_Start = tuple[str, int | None]
"""A template, and how many characters the start of its prompts has."""


class PrefixCache:
    """Decides for one worker whether what prompts share is marked. Use it in one event loop.

    What the job's earlier calls used counts, too, so that what did not pay stays switched off.
    """

    def __init__(self, job: BatchJob) -> None:
        self._job = job
        self._use = CacheUse.of(job)
        self._first: dict[_Start, asyncio.Event] = {}

    def lifetime(self, characters: int | None) -> Literal["5m", "1h"] | None:
        """How long a start of so many characters is to be kept; None if it is not to be marked.

        None for a start that is not known, too.

        A worker keeps calls in flight, each of which prolongs the five minutes. Within a Message
        Batch nobody knows when a request is answered, most of them within the hour.
        """
        if characters is None or self._use.has_failed(self._job):
            return None
        if _why_not(self._job, characters):
            return None
        return "1h" if self._job.is_economy else "5m"

    def note(self, read_tokens: int, written_tokens: int, saved_micro_usd: int) -> None:
        """Count what a marked call used."""
        self._use = self._use.plus(read_tokens, written_tokens, saved_micro_usd)

    @asynccontextmanager
    async def turn(self, template_id: str, characters: int | None) -> AsyncIterator[None]:
        """Wait until a call with a start may be made, at most HEAD_START_S.

        The first one with it writes it, and goes alone for so long or until it is answered: calls
        that begin together would all write. After one that fails, another one goes first.
        """
        key = (template_id, characters)
        if self.lifetime(characters) is None or await self._has_begun(key):
            yield
            return
        first = self._first[key] = asyncio.Event()
        head_start = asyncio.get_running_loop().call_later(HEAD_START_S, first.set)
        try:
            yield
        except BaseException:
            if not first.is_set():
                del self._first[key]
            raise
        finally:
            head_start.cancel()
            first.set()

    async def _has_begun(self, key: _Start) -> bool:
        """Whether a call with a start has begun long enough ago, after waiting for that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAD_START_S):
                while (first := self._first.get(key)) is not None and not first.is_set():
                    await first.wait()
        return key in self._first
