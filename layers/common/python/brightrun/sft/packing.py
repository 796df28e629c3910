"""Examples to optimizer steps to micro-batches: the same steps on any number of processes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from brightrun.sft.templates import Example

WORTHWHILE_MERGE = 1.3
"""Merging is used when it saves at least this factor of tokens (spec: training.md 2.3)."""


@dataclass(frozen=True)
class Step:
    """One optimizer step: which examples it learns from, and where it stands in the epochs."""

    indexes: tuple[int, ...]
    epoch: float
    ends_evaluation_period: bool = False


def merge_prefixes(examples: Sequence[Example], limit: int) -> list[Example]:
    """Examples whose tokens open a longer one of the same conversation, trained inside it.

    A causal model computes the same loss and gradient for the shorter one there, without its
    tokens again. At most `limit` answers share a sequence, so that a step of `limit` pairs
    stays a step of about `limit` pairs.
    """
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.conversation_id, []).append(example)
    merged = []
    for group in groups.values():
        merged += _merge_conversation(sorted(group, key=lambda example: len(example.ids)), limit)
    return merged


def _merge_conversation(group: Sequence[Example], limit: int) -> list[Example]:
    chains: list[Example] = []
    for longer in group:
        for place, chain in enumerate(chains):
            opens = len(chain.ids) < len(longer.ids) and longer.ids[: len(chain.ids)] == chain.ids
            if opens and chain.pairs + longer.pairs <= limit:
                spans, pairs = chain.spans + longer.spans, chain.pairs + longer.pairs
                chains[place] = Example(longer.ids, spans, longer.conversation_id, pairs)
                break
        else:
            chains.append(longer)
    return chains


def arrange(examples: Sequence[Example], mode: str, limit: int) -> list[Example]:
    """Merged examples where `mode` is "auto" and merging pays, else the examples as they are."""
    if mode == "off":
        return list(examples)
    merged = merge_prefixes(examples, limit)
    return merged if saved_factor(examples, merged) >= WORTHWHILE_MERGE else list(examples)


def saved_factor(before: Sequence[Example], after: Sequence[Example]) -> float:
    """How many times fewer tokens `after` has than `before`; 1 where there are none."""
    tokens = sum(len(example.ids) for example in after)
    return sum(len(example.ids) for example in before) / tokens if tokens else 1.0


def plan_steps(
    examples: Sequence[Example], batch_size: int, epochs: int, seed: int, evaluations: int
) -> list[Step]:
    """All optimizer steps; depends on the data, the seed and the batch size alone.

    A step closes when the epoch's running count of pairs reaches the next multiple of
    `batch_size`, so an epoch has pairs / batch_size steps, rounded up or down, however pairs
    were merged (fewer only where one example holds more than `batch_size` pairs).
    """
    total = sum(example.pairs for example in examples)
    steps: list[Step] = []
    for epoch in range(epochs):
        order = list(range(len(examples)))
        random.Random(f"{seed}:{epoch}").shuffle(order)  # noqa: S311 - an order, not a secret
        batch: list[int] = []
        seen, period = 0, 1
        for index in order:
            batch.append(index)
            before, seen = seen, seen + examples[index].pairs
            if seen // batch_size > before // batch_size or seen == total:
                ends = seen * evaluations >= period * total
                period = seen * evaluations // total + 1
                steps.append(Step(tuple(batch), epoch + seen / total, ends))
                batch = []
    return steps


def microbatches(
    step: Step, examples: Sequence[Example], rank: int, world: int, max_tokens: int
) -> list[list[int]]:
    """This process's share of a step, in bins of at most `max_tokens` tokens.

    Longest first to the least loaded process, then best fit; an example longer than the bin
    has a bin of its own.
    """
    loads = [0] * world
    mine: list[int] = []
    for index in sorted(step.indexes, key=lambda i: (-len(examples[i].ids), i)):
        target = loads.index(min(loads))
        loads[target] += len(examples[index].ids)
        if target == rank:
            mine.append(index)
    return pack(mine, examples, max_tokens)


def pack(indexes: Sequence[int], examples: Sequence[Example], max_tokens: int) -> list[list[int]]:
    """Best-fit bins of at most `max_tokens` tokens, in the order given."""
    bins: list[tuple[int, list[int]]] = []
    for index in indexes:
        length = len(examples[index].ids)
        fitting = [i for i, (used, _) in enumerate(bins) if used + length <= max_tokens]
        if fitting:
            best = max(fitting, key=lambda i: bins[i][0])
            bins[best] = (bins[best][0] + length, [*bins[best][1], index])
        else:
            bins.append((length, [index]))
    return [members for _, members in bins]
