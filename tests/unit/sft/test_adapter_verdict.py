"""An adapter's verdict is against its base, on held-out rows, and says what it rests on."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from brightrun.sft.templates import Example
from brightrun.sft.verdict import (
    FEW_CONVERSATIONS,
    LARGEST_PERPLEXITY,
    AdapterVerdict,
    HeldOut,
    adapter_verdict,
    compare,
    mean_loss,
    perplexity,
    reduction_percent,
)


def examples(*tokens: int, names: Sequence[str] = ()) -> list[Example]:
    """One example for each count of answer tokens, in conversations of their own."""
    named = names or [f"c{number}" for number in range(len(tokens))]
    return [
        Example([0] * (count + 1), [(1, count + 1)], name)
        for count, name in zip(tokens, named, strict=True)
    ]


def figures(base: float, published: float, half: float = 0.05) -> HeldOut:
    """The figures of 40 conversations with an interval of plus and minus `half`."""
    difference = published - base
    return HeldOut(40, 40, 4000, base, published, difference - half, difference + half)


def verdict(base: float, published: float, half: float = 0.05) -> AdapterVerdict:
    return adapter_verdict(figures(base, published, half))


def test_losses_are_means_over_answer_tokens_not_over_rows() -> None:
    found = compare(examples(10, 30), [20.0, 30.0], [10.0, 30.0])
    assert (found.pairs, found.conversations, found.tokens) == (2, 2, 40)
    assert (found.base_loss, found.adapter_loss) == (1.25, 1.0)
    assert found.difference == pytest.approx(-0.25)
    assert reduction_percent(found) == 20.0


def test_equal_gains_everywhere_have_an_interval_without_width() -> None:
    found = compare(examples(10, 20, 30), [20.0, 40.0, 60.0], [10.0, 20.0, 30.0])
    assert found.difference_low == pytest.approx(-1)
    assert found.difference_high == pytest.approx(-1)


def test_the_interval_of_equally_long_conversations_is_that_of_students_t() -> None:
    gains = [-1.0, -2.0, -3.0, -6.0, -8.0]
    found = compare(examples(*[1] * 5), [10.0] * 5, [10.0 + gain for gain in gains])
    deviation = math.sqrt(sum((gain + 4.0) ** 2 for gain in gains) / 4)
    assert found.difference_low == pytest.approx(-4 - 2.7764 * deviation / math.sqrt(5))
    assert found.difference_high == pytest.approx(-4 + 2.7764 * deviation / math.sqrt(5))


def test_the_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    draw = random.Random(7)  # noqa: S311 - noise, not a secret
    covered = 0
    for _ in range(400):
        rows = examples(*[draw.randint(20, 200) for _ in range(12)])
        base = [2.0 * row.targets() for row in rows]
        changes = [row.targets() * draw.gauss(-0.1, 0.3) for row in rows]
        found = compare(rows, base, [a + b for a, b in zip(base, changes, strict=True)])
        assert found.difference_low is not None
        assert found.difference_high is not None
        covered += found.difference_low <= -0.1 <= found.difference_high
    assert 0.91 <= covered / 400 <= 0.98


def test_rows_of_one_conversation_are_one_observation() -> None:
    base, after = [10.0] * 6, [5.0, 5.1, 4.9, 12.0, 12.1, 11.9]
    apart = compare(examples(*[5] * 6), base, after)
    together = compare(examples(*[5] * 6, names=[*["a"] * 3, *["b"] * 3]), base, after)
    assert together.conversations == 2
    widths = [
        (found.difference_high or 0) - (found.difference_low or 0) for found in (apart, together)
    ]
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize("degrees", [1, 2, 4, 5, 10, 30, 120])
def test_students_quantile_is_the_tabulated_one(degrees: int) -> None:
    tabulated = {1: 12.706, 2: 4.303, 4: 2.776, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980}
    count = degrees + 1
    gains = [1.0, -1.0] * (count // 2) + [0.0] * (count % 2)
    found = compare(examples(*[1] * count), [5.0] * count, [5.0 + gain for gain in gains])
    deviation = math.sqrt(sum(gain**2 for gain in gains) / degrees / count)
    assert (found.difference_high or 0) / deviation == pytest.approx(tabulated[degrees], rel=2e-3)


@pytest.mark.parametrize(
    ("base", "published", "outcome", "quality", "score"),
    [
        (2.0, 1.4, "better", "excellent", 5),
        (2.0, 1.5, "better", "excellent", 5),
        (2.0, 1.6, "better", "good", 4),
        (2.0, 1.9, "better", "fair", 3),
        (2.0, 1.96, "no_measurable_difference", "poor", 2),
        (2.0, 2.0, "no_measurable_difference", "poor", 2),
        (2.0, 2.04, "worse", "poor", 2),
        (2.0, 2.06, "worse", "poor", 1),
        (1.087, 3.897, "worse", "poor", 1),
    ],
)
def test_the_score_follows_the_loss_against_the_base(
    base: float, published: float, outcome: str, quality: str, score: int
) -> None:
    found = verdict(base, published)
    assert (found.outcome, found.quality, found.score) == (outcome, quality, score)


@pytest.mark.parametrize(("base", "published"), [(11.0, 4.0), (9.0, 3.1), (4.0, 3.9)])
def test_text_of_a_hopeless_perplexity_never_scores_above_two(
    base: float, published: float
) -> None:
    found = verdict(base, published)
    assert (found.outcome, found.quality, found.score) == ("better", "poor", 2)
    assert found.headline.startswith("Better than its base, but poor:")
    assert f"perplexity is above {LARGEST_PERPLEXITY:.0f}" in found.headline


def test_a_diverged_run_is_called_worse_in_the_first_words() -> None:
    headline = verdict(1.087, 3.897).headline
    assert headline.startswith("Worse than its base: held-out loss 3.897 against 1.087 of the base")
    assert "+2.81 nats per answer token, 95 % interval +2.76 to +2.86" in headline


def test_worse_by_less_than_the_interval_is_said_with_its_doubt() -> None:
    assert verdict(2.0, 2.04).headline.startswith("Worse than its base, within chance:")


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        (HeldOut(unmeasured="no_held_out_rows"), "Not measured: no held-out rows."),
        (HeldOut(9, 3, 50, 1.0, None, unmeasured="not_evaluated"), "Not measured: training stop"),
        (HeldOut(9, 3, 50, None, 1.0, unmeasured="not_finite"), "Not measured: the base's held-"),
        (HeldOut(unmeasured="not_recorded"), "Unknown: the trainer did not compare"),
        (HeldOut(9, 1, 50, 2.0, 1.0), "Not known to be better than its base"),
    ],
)
def test_what_was_not_compared_has_no_score_and_says_why(found: HeldOut, headline: str) -> None:
    unknown = adapter_verdict(found)
    assert (unknown.outcome, unknown.quality, unknown.score) == ("unknown", "unknown", None)
    assert unknown.headline.startswith(headline)
    assert unknown.basis.startswith("No score:")


def test_one_held_out_conversation_can_show_that_an_adapter_is_worse() -> None:
    found = adapter_verdict(compare(examples(10), [10.0], [20.0]))
    assert (found.outcome, found.score) == ("worse", 2)
    assert found.headline.endswith("Only 1 conversation held out.")


def test_few_conversations_are_said_to_be_few() -> None:
    few, many = (examples(*[10] * count) for count in (FEW_CONVERSATIONS - 1, FEW_CONVERSATIONS))
    few_said, many_said = (
        adapter_verdict(compare(rows, [20.0] * len(rows), [10.0] * len(rows))).headline
        for rows in (few, many)
    )
    assert "Only 9 conversations held out." in few_said
    assert "Only" not in many_said


def test_an_adapter_whose_loss_is_no_number_is_the_worst() -> None:
    found = compare(examples(10, 10), [20.0, 20.0], [10.0, None])
    assert (found.adapter_loss, found.unmeasured) == (None, "not_finite")
    worst = adapter_verdict(found)
    assert (worst.outcome, worst.quality, worst.score) == ("worse", "poor", 1)
    assert worst.headline.startswith("Worse than its base: the adapter's held-out loss is not a")


def test_nothing_is_concluded_from_a_side_that_was_not_evaluated() -> None:
    assert compare([], [], []).unmeasured == "no_held_out_rows"
    found = compare(examples(10), [20.0], [])
    assert (found.base_loss, found.adapter_loss) == (2.0, None)
    assert found.unmeasured == "not_evaluated"


def test_the_basis_counts_what_was_measured() -> None:
    basis = verdict(2.0, 1.5).basis
    assert "40 held-out pairs of 40 conversations (4000 answer tokens)" in basis
    assert "5 from 25 %, 4 from 10 %, else 3" in basis


def test_a_loss_beyond_what_e_can_raise_has_no_perplexity() -> None:
    assert perplexity(1.0) == pytest.approx(math.e)
    assert perplexity(1e5) is None
    assert perplexity(None) is None
    assert mean_loss([], 10) is None
