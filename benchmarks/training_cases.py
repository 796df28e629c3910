"""Seeded conversations with the lengths of the product's real ones, and the benchmark's table."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from brightrun.sft.templates import Example

TURNS = {4: 5, 5: 33, 6: 72, 7: 11, 8: 25, 9: 5, 10: 4}
"""Conversations by number of turns among 155 real ones (spec: original-system.md 13)."""

SYSTEM_CHARACTERS = 631
USER_CHARACTERS = 700
"""Median user turn; makes an example's median about 1,450 tokens, as in the real data."""
ANSWER_CHARACTERS = 1883
LONGEST_ANSWER = 5459
SPREAD = 0.35
CHARACTERS_PER_TOKEN = 4


def conversations(
    pairs: int, vocabulary: int, *, scale: float = 1.0, seed: int = 0
) -> list[Example]:
    """About `pairs` pairs as token ids, one Example each, all pairs of a conversation included.

    `scale` shrinks every turn, for models that are small. Token frequencies fall off as in
    text, so that there is something to learn.
    """
    draw = random.Random(seed)  # noqa: S311 - lengths and tokens, no secret
    weights = [1.0 / rank for rank in range(1, vocabulary - 9)]
    found: list[Example] = []
    number = 0
    while len(found) < pairs:
        found += _conversation(draw, f"c{number}", range(10, vocabulary), weights, scale)
        number += 1
    return found


def _conversation(
    draw: random.Random, name: str, tokens: range, weights: Sequence[float], scale: float
) -> list[Example]:
    def text(median: float, longest: float = math.inf) -> list[int]:
        characters = min(longest, draw.lognormvariate(math.log(median), SPREAD))
        count = max(3, round(characters / CHARACTERS_PER_TOKEN * scale))
        return draw.choices(tokens, weights, k=count)

    ids = text(SYSTEM_CHARACTERS)
    pairs = []
    for turn in range(draw.choices(list(TURNS), list(TURNS.values()))[0]):
        start = len(ids)
        is_answer = turn % 2 == 1
        ids = ids + (
            text(ANSWER_CHARACTERS, LONGEST_ANSWER) if is_answer else text(USER_CHARACTERS)
        )
        if is_answer:
            pairs.append(Example(ids, [(start, len(ids))], name))
    return pairs


def describe(examples: Sequence[Example]) -> dict[str, int]:
    """The lengths that a reader wants to compare with the real data's."""
    lengths = sorted(len(example.ids) for example in examples)
    return {
        "pairs": sum(example.pairs for example in examples),
        "tokens": sum(lengths),
        "median_tokens": lengths[len(lengths) // 2],
        "longest_tokens": lengths[-1],
    }


COLUMNS = {
    "pairs_per_second": ("pairs/s", ".2f"),
    "tokens_per_second": ("tokens/s", ",.0f"),
    "share_of_measured_peak": ("of measured peak", ".1%"),
    "peak_memory_gib": ("peak GiB", ".1f"),
    "seconds_per_step": ("s/step", ".3f"),
    "pairs_per_step": ("pairs/step", ".1f"),
    "loss_before": ("held-out loss before", ".4f"),
    "loss_after": ("after", ".4f"),
}


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as a Markdown table; a figure that was not measured stays empty."""
    lines = [
        "| run | " + " | ".join(title for title, _ in COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for result in results:
        cells = [
            format(result[key], form) if result.get(key) is not None else ""
            for key, (_, form) in COLUMNS.items()
        ]
        note = f" ({result['error']})" if "error" in result else ""
        lines.append(f"| {result['mode']}{note} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
