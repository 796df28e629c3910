"""The size of training data, and the sequences that the trainer makes of it.

The product's pairs repeat their history: pair k contains the k-1 before it. The trainer merges
pairs whose text is a prefix of a longer one's, so that it computes far less than is stored; how
much less depends on the pairs per conversation and on the batch size, which bounds a merged
sequence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from brightrun.datasets.model import Dataset

SYSTEM_SHARE = 0.1
"""Share of an average pair that is its system prompt: measured with the trainer on the product's 44
pairs, 167 of 1,670 tokens."""
ANSWER_SHARE = 0.7
"""Share of one exchange that is the answer, the only part with a loss: measured on the same pairs,
464 of 648 tokens."""
HELD_OUT = 0.1
"""Share of pairs held out for validation without a split: the trainer's default."""
WORTHWHILE_MERGE = 1.3
"""The trainer merges if that saves at least this factor (brightrun.sft.packing)."""
V1_TOKENS_A_PAIR = 200
"""v1's assumption for an unknown number of tokens."""
BYTES_A_TOKEN = 7.0
BYTES_A_PAIR = 9113
"""Bytes of a v4 file for each token and each pair: measured on the product's 44 pairs, 400,981
bytes and 57,369 tokens."""


@dataclass(frozen=True, slots=True)
class TrainingSize:
    """Pairs to train on and held out, and the mean tokens of a pair with its history.

    Tokens are those that validation counts; a model's own are `token_factor` times as many.
    `assumptions` describe what was unknown.
    """

    pairs: int
    validation_pairs: int
    tokens_per_pair: float
    pairs_per_conversation: float = 1.0
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequences:
    """The sequences of one epoch, in the model's own tokens.

    `context` is how many earlier tokens a token attends to on average, `target_share` the share
    of tokens with a loss, `merge_factor` the tokens of unmerged pairs per token.
    """

    count: float
    tokens: float
    longest: float
    context: float
    target_share: float
    merge_factor: float
    truncated_share: float

    @property
    def mean_length(self) -> float:
        """Tokens of an average sequence."""
        return self.tokens / self.count


def given_size(pairs: int, tokens: int | None, pairs_per_conversation: float = 1.0) -> TrainingSize:
    """The size of data by given numbers; `tokens` are those of all pairs together."""
    assumed = [] if tokens else [f"{V1_TOKENS_A_PAIR} tokens a pair, as none were given"]
    if pairs_per_conversation == 1:
        assumed.append("every pair stands alone, as no conversations are known")
    counted = tokens or pairs * V1_TOKENS_A_PAIR
    held_out = _held_out(pairs, None)
    return TrainingSize(
        pairs=pairs - held_out,
        validation_pairs=held_out,
        tokens_per_pair=counted / pairs,
        pairs_per_conversation=pairs_per_conversation,
        assumptions=tuple(assumed),
    )


def dataset_size(dataset: Dataset) -> TrainingSize:
    """The size of a dataset by its validation's figures; before validation, by its file's bytes."""
    # The registry of formats is only needed here; functions that list jobs never come here.
    from brightrun.formats import stores_conversations_once

    pairs = dataset.trainable_pairs or dataset.total_training_pairs
    if not pairs or not dataset.total_tokens:
        return _unvalidated(dataset)
    held_out = _held_out(pairs, dataset.total_validation_pairs)
    turns = dataset.avg_turns_per_conversation
    exchanges = min(max(1.0, (turns or 2.0) / 2), float(pairs))
    if stores_conversations_once(dataset.format):
        # The text is stored once: a pair's share is one exchange, and its history is added.
        tokens = dataset.total_tokens / pairs * (exchanges + 1) / 2
    else:
        # Rows without an answer to train on are as long as the others.
        tokens = dataset.total_tokens / max(pairs, dataset.total_training_pairs or 0)
    return TrainingSize(pairs - held_out, held_out, tokens, exchanges)


def sequences(size: TrainingSize, token_factor: float, *, batch_size: int, limit: int) -> Sequences:
    """The sequences of one epoch, merged within a batch, none longer than `limit` tokens."""
    alone = _lengths(size, token_factor, limit, 1)
    merged = _lengths(size, token_factor, limit, batch_size)
    unmerged_tokens = sum(length * weight for length, weight in alone)
    factor = unmerged_tokens / sum(length * weight for length, weight in merged)
    used = merged if factor >= WORTHWHILE_MERGE else alone
    conversations = size.pairs / size.pairs_per_conversation
    tokens = sum(length * weight for length, weight in used)
    uncut = sum(n * w for n, w in _lengths(size, token_factor, math.inf, 1))
    targets = ANSWER_SHARE * _exchange(size, token_factor) * size.pairs_per_conversation
    return Sequences(
        count=conversations * sum(weight for _, weight in used),
        tokens=conversations * tokens,
        longest=max(length for length, _ in used),
        context=sum(length**2 * weight for length, weight in used) / 2 / tokens,
        target_share=min(1.0, targets / tokens),
        merge_factor=factor if used is merged else 1.0,
        truncated_share=1 - unmerged_tokens / uncut,
    )


def _mixture(pairs_per_conversation: float) -> tuple[tuple[int, float], ...]:
    """The two whole numbers of pairs around the mean, with their shares of the conversations."""
    low = math.floor(pairs_per_conversation)
    upper = pairs_per_conversation - low
    return (low, 1 - upper), (low + 1, upper)


def _exchange(size: TrainingSize, token_factor: float) -> float:
    """Tokens that each pair of a conversation adds to the previous one."""
    all_tokens = size.pairs_per_conversation * size.tokens_per_pair * token_factor
    added = sum(share * n * (n + 1) / 2 for n, share in _mixture(size.pairs_per_conversation))
    return all_tokens * (1 - SYSTEM_SHARE) / added


def _lengths(
    size: TrainingSize, token_factor: float, limit: float, together: int
) -> Sequence[tuple[float, float]]:
    """(length, weight) of a conversation's sequences, of at most `together` pairs each."""
    opening = size.tokens_per_pair * token_factor * SYSTEM_SHARE
    step = _exchange(size, token_factor)
    found = []
    for pairs, weight in _mixture(size.pairs_per_conversation):
        ends = {*range(together, pairs + 1, together), pairs}
        found += [(min(limit, opening + step * end), weight) for end in sorted(ends) if weight]
    return found


def _held_out(pairs: int, known: int | None) -> int:
    """Pairs for validation, leaving at least one to train on."""
    held_out = round(pairs * HELD_OUT) if known is None else known
    return max(0, min(held_out, pairs - 1))


def _unvalidated(dataset: Dataset) -> TrainingSize:
    pairs = max(1, round(dataset.file_size / BYTES_A_PAIR))
    size = given_size(pairs, max(1, round(dataset.file_size / BYTES_A_TOKEN)))
    note = (
        f"the dataset is {dataset.status}, so pairs and tokens are estimated from its "
        f"{dataset.file_size} bytes"
    )
    return TrainingSize(
        size.pairs, size.validation_pairs, size.tokens_per_pair, assumptions=(note,)
    )
