"""Quotes from what an owner's own batches used, and how wrong the quotes of those batches were.

A completed batch keeps on its row what its conversations used, by template and arc, and the quote
that it was ordered with. A new quote reads the newest JOBS_READ rows, so that nothing is counted
item by item or grows with what is stored.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from brightrun.batches.model import BatchItem, BatchJob, JobStatus, Quote, QuoteSource, TokensUsed

JOBS_READ = 100
"""Of an owner's newest jobs: what a quote learns from, and what its errors are measured on."""
LEAST_CONVERSATIONS = 10
"""Conversations that an own quote is based on at the least: their mean is known to 8 %."""
_MOST_GROUPS = 50
"""Templates and arcs that a batch's row keeps, the most frequent ones: 5 KB."""
_PRIOR_CONVERSATIONS = 5
"""How many average conversations a template and arc counts beside its own."""
_PRIOR_BATCHES = 2
_SPREAD_OF_ONE = 0.24
"""Deviation of one conversation's output tokens from the mean, as a share; v1's 155 have it."""
_SPREAD_OF_BATCH = 0.1
"""What all conversations of a batch have in common, before any batch has told; assumed."""
_Z90 = 1.2816

Group = tuple[str, str]
"""A template's id and an arc's key."""


def tokens_used(items: Iterable[BatchItem]) -> tuple[TokensUsed, ...]:
    """Add up what items used by template and arc; those without a paid answer do not count."""
    groups: dict[Group, list[BatchItem]] = defaultdict(list)
    for item in items:
        if item.output_tokens:
            groups[item.template_id, item.emotional_arc_key].append(item)
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(
        TokensUsed(
            template_id=template_id,
            emotional_arc_key=arc_key,
            conversations=len(found),
            input_tokens=sum(item.input_tokens for item in found),
            output_tokens=sum(item.output_tokens for item in found),
            output_squares=sum(item.output_tokens**2 for item in found),
        )
        for (template_id, arc_key), found in largest[:_MOST_GROUPS]
    )


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """US dollars for a million tokens, which are millionths of a dollar for one."""

    input: float
    output: float


def past_batches(jobs: Iterable[BatchJob], *, model: str, simulated: bool) -> tuple[BatchJob, ...]:
    """The completed batches that tell about a new one: another model writes at another length."""
    return tuple(
        job
        for job in jobs
        if job.status is JobStatus.COMPLETED
        and job.used
        and (job.model, job.simulated) == (model, simulated)
    )


def own_quote(
    items: Sequence[BatchItem], prices: TokenPrices, past: Sequence[BatchJob]
) -> Quote | None:
    """Quote a batch from past ones; None if they have too few conversations."""
    used = _summed(past)
    known = _total(used.values())
    if not items or known.conversations < LEAST_CONVERSATIONS:
        return None
    spread_of_one = _spread_within(used.values())
    mean = noise = 0.0
    for group, count in Counter(map(_group_of, items)).items():
        read, written = _expected(used.get(group, TokensUsed(*group)), known)
        mean += count * (read * prices.input + written * prices.output)
        noise += count * (spread_of_one * written * prices.output) ** 2
    common = math.hypot(
        _spread_between(past, used, spread_of_one), spread_of_one / math.sqrt(known.conversations)
    )
    spread = math.hypot(common, math.sqrt(noise) / mean)
    median = mean * math.exp(-(spread**2) / 2)
    return Quote(
        p50_micro_usd=round(median),
        p90_micro_usd=round(median * math.exp(_Z90 * spread)),
        source="own_batches",
        conversations=known.conversations,
        batches=len(past),
    )


def _group_of(item: BatchItem) -> Group:
    return item.template_id, item.emotional_arc_key


def _summed(jobs: Iterable[BatchJob]) -> Mapping[Group, TokensUsed]:
    groups: dict[Group, list[TokensUsed]] = defaultdict(list)
    for job in jobs:
        for one in job.used:
            groups[one.template_id, one.emotional_arc_key].append(one)
    return {group: _total(found) for group, found in groups.items()}


def _total(groups: Iterable[TokensUsed]) -> TokensUsed:
    """The sum of groups, under the names of the first."""
    known = list(groups)
    first = known[0] if known else TokensUsed("", "")
    return TokensUsed(
        first.template_id,
        first.emotional_arc_key,
        conversations=sum(one.conversations for one in known),
        input_tokens=sum(one.input_tokens for one in known),
        output_tokens=sum(one.output_tokens for one in known),
        output_squares=sum(one.output_squares for one in known),
    )


def _expected(group: TokensUsed, known: TokensUsed) -> tuple[float, float]:
    """Input and output tokens of a group's conversation; the fewer are known, the more average."""
    weight = _PRIOR_CONVERSATIONS / known.conversations
    count = group.conversations + _PRIOR_CONVERSATIONS
    return (
        (group.input_tokens + weight * known.input_tokens) / count,
        (group.output_tokens + weight * known.output_tokens) / count,
    )


def _spread_within(groups: Iterable[TokensUsed]) -> float:
    """Deviation of a conversation's output tokens from its group's mean, as a share of it."""
    squares = _PRIOR_CONVERSATIONS * _SPREAD_OF_ONE**2
    freedom = float(_PRIOR_CONVERSATIONS)
    for one in groups:
        mean = one.output_tokens / one.conversations
        squares += max(0.0, one.output_squares / mean**2 - one.conversations)
        freedom += one.conversations - 1
    return math.sqrt(squares / freedom)


def _spread_between(
    past: Sequence[BatchJob], used: Mapping[Group, TokensUsed], spread_of_one: float
) -> float:
    """Deviation of a whole batch from the means of its groups, beyond that of its conversations."""
    squares = _PRIOR_BATCHES * _SPREAD_OF_BATCH**2
    for job in past:
        total = _total(job.used)
        groups = [(one, used[one.template_id, one.emotional_arc_key]) for one in job.used]
        expected = sum(
            one.conversations * known.output_tokens / known.conversations for one, known in groups
        )
        by_chance = spread_of_one**2 / total.conversations
        squares += max(0.0, math.log(total.output_tokens / expected) ** 2 - by_chance)
    return math.sqrt(squares / (_PRIOR_BATCHES + len(past)))


@dataclass(frozen=True, slots=True)
class QuoteAccuracy:
    """How wrong the quotes of one source were, for batches that were written whole.

    `cost_mape` is the mean absolute error as a share of what the batches cost, and
    `cost_p90_coverage` the share of batches that cost at most their p90.
    """

    source: QuoteSource
    simulated: bool
    batches: int
    cost_mape: float
    cost_p90_coverage: float


def quote_accuracy(jobs: Iterable[BatchJob]) -> tuple[QuoteAccuracy, ...]:
    """Compare quotes with costs, for each source by itself, and simulated batches by themselves."""
    pairs: dict[tuple[QuoteSource, bool], list[tuple[Quote, int]]] = defaultdict(list)
    for job in jobs:
        if job.quote is not None and job.quote_error is not None and job.cost_micro_usd:
            pairs[job.quote.source, job.simulated].append((job.quote, job.cost_micro_usd))
    return tuple(
        QuoteAccuracy(
            source,
            simulated,
            batches=len(found),
            cost_mape=_mean([abs(quote.p50_micro_usd / cost - 1) for quote, cost in found]),
            cost_p90_coverage=_mean([cost <= quote.p90_micro_usd for quote, cost in found]),
        )
        for (source, simulated), found in sorted(pairs.items())
    )


def _mean(values: Sequence[float]) -> float:
    # `statistics` would cost every cold start of the function a millisecond.
    return round(sum(values) / len(values), 4)
