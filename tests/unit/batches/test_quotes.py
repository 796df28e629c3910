"""Quotes of batches: from the owner's own past once that is known well enough, else typical."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from collections.abc import Sequence

import pytest

from brightrun.batches.model import BatchItem, BatchJob, JobStatus, Quote, TokensUsed
from brightrun.batches.quotes import (
    LEAST_CONVERSATIONS,
    TokenPrices,
    own_quote,
    past_batches,
    quote_accuracy,
    tokens_used,
)
from tests import builders as build

PRICES = TokenPrices(input=2.0, output=10.0)
SHORT, LONG = "confusion_to_clarity", "fear_to_confidence"
TYPICAL = Quote(1_000_000, 1_200_000)
JOB = build.a_job(build.a_plan(1))
ITEM = build.a_plan(1).items[0]


def item(arc: str = SHORT, written: int = 0, read: int = 2_000, template: str = "t") -> BatchItem:
    return dataclasses.replace(
        ITEM,
        template_id=template,
        emotional_arc_key=arc,
        output_tokens=written,
        input_tokens=read if written else 0,
    )


def batch(*items: BatchItem, **changes: object) -> BatchJob:
    return dataclasses.replace(
        JOB,
        status=JobStatus.COMPLETED,
        used=tokens_used(items),
        **changes,  # type: ignore[arg-type]
    )


def written(arc: str, tokens: int, count: int) -> list[BatchItem]:
    return [item(arc, tokens)] * count


def test_tokens_are_added_up_by_template_and_arc() -> None:
    used = tokens_used([item(SHORT, 3), item(LONG, 5), item(LONG, 7), item(LONG, 1, template="u")])
    assert used == (
        TokensUsed("t", LONG, 2, 4_000, 12, 74),
        TokensUsed("t", SHORT, 1, 2_000, 3, 9),
        TokensUsed("u", LONG, 1, 2_000, 1, 1),
    )


def test_what_was_not_paid_for_does_not_make_conversations_look_cheap() -> None:
    assert tokens_used([item(SHORT, 3), item(SHORT, 0)])[0].conversations == 1


def test_a_batchs_row_keeps_a_bounded_number_of_groups_the_most_frequent() -> None:
    many = [item(f"arc-{n}", 10) for n in range(80)] + written("frequent", 10, 2)
    used = tokens_used(many)
    assert (len(used), used[0].emotional_arc_key) == (50, "frequent")


def test_there_is_no_own_quote_from_too_few_conversations() -> None:
    few = batch(*written(SHORT, 3_000, LEAST_CONVERSATIONS - 1))
    assert own_quote([item()], PRICES, [few]) is None
    assert own_quote([item()], PRICES, []) is None
    enough = batch(*written(SHORT, 3_000, 1))
    assert own_quote([item()], PRICES, [few, enough]) is not None


def test_nothing_to_write_has_no_own_quote() -> None:
    assert own_quote([], PRICES, [batch(*written(SHORT, 3_000, 50))]) is None


def test_an_own_quote_says_how_much_it_is_based_on() -> None:
    quote = own_quote([item()] * 100, PRICES, [batch(*written(SHORT, 3_000, 20))] * 3)
    assert quote is not None
    assert (quote.source, quote.conversations, quote.batches) == ("own_batches", 60, 3)


def test_many_equal_conversations_are_quoted_at_what_they_cost() -> None:
    quote = own_quote([item()] * 100, PRICES, [batch(*written(SHORT, 3_000, 200))] * 10)
    assert quote is not None
    assert quote.p50_micro_usd == pytest.approx(100 * (2_000 * 2 + 3_000 * 10), rel=0.01)
    assert quote.p50_micro_usd < quote.p90_micro_usd < 1.1 * quote.p50_micro_usd


def test_an_arc_is_quoted_by_its_own_conversations() -> None:
    past = [batch(*written(SHORT, 1_000, 100), *written(LONG, 4_000, 100))]
    short, long = (own_quote([item(arc)] * 50, PRICES, past) for arc in (SHORT, LONG))
    assert short is not None
    assert long is not None
    assert long.p50_micro_usd / short.p50_micro_usd == pytest.approx(44 / 14, rel=0.1)


def test_an_arc_that_was_never_written_is_quoted_by_all_others() -> None:
    past = [batch(*written(SHORT, 1_000, 100), *written(LONG, 3_000, 100))]
    quote = own_quote([item("new")] * 50, PRICES, past)
    assert quote is not None
    assert quote.p50_micro_usd == pytest.approx(50 * (2_000 * 2 + 2_000 * 10), rel=0.02)


def test_batches_that_differ_from_each_other_widen_the_quote() -> None:
    alike = [batch(*written(SHORT, 2_000, 50))] * 6
    unlike = [batch(*written(SHORT, tokens, 50)) for tokens in (1_000, 3_000) * 3]

    def width(past: Sequence[BatchJob]) -> float:
        quote = own_quote([item()] * 50, PRICES, past)
        assert quote is not None
        return quote.p90_micro_usd / quote.p50_micro_usd

    assert width(unlike) > 1.5 * width(alike)


@pytest.mark.parametrize("size", [1, 20, 300])
def test_nine_of_ten_batches_stay_within_p90(size: int) -> None:
    rng = random.Random(7)  # noqa: S311 - draws of a simulation

    def one_batch(count: int) -> list[BatchItem]:
        shared = math.exp(rng.gauss(0, 0.08))
        lengths = [round(2_900 * shared * math.exp(rng.gauss(0, 0.24))) for _ in range(count)]
        return [item(SHORT, tokens) for tokens in lengths]

    past = [batch(*one_batch(40)) for _ in range(10)]
    quote = own_quote([item()] * size, PRICES, past)
    assert quote is not None
    costs = [sum(2_000 * 2 + one.output_tokens * 10 for one in one_batch(size)) for _ in range(400)]
    within = statistics.fmean(cost <= quote.p90_micro_usd for cost in costs)
    below = statistics.fmean(cost <= quote.p50_micro_usd for cost in costs)
    assert 0.8 <= within <= 0.99
    assert 0.3 <= below <= 0.7


def test_only_completed_batches_of_the_same_model_and_kind_tell_about_a_new_one() -> None:
    told = batch(item(SHORT, 10))
    others = [
        dataclasses.replace(told, model="claude-opus-5-5"),
        dataclasses.replace(told, simulated=True),
        dataclasses.replace(told, status=JobStatus.PROCESSING),
        dataclasses.replace(told, used=()),
    ]
    assert past_batches([told, *others], model=JOB.model, simulated=False) == (told,)


def ended(cost: int, quote: Quote | None = TYPICAL, **changes: object) -> BatchJob:
    job = dataclasses.replace(
        JOB, status=JobStatus.COMPLETED, total_items=100, successful_items=100, quote=quote
    )
    return dataclasses.replace(job, cost_micro_usd=cost, **changes)  # type: ignore[arg-type]


def test_the_error_of_a_quote_is_the_share_that_the_batch_cost_more() -> None:
    assert ended(1_100_000).quote_error == pytest.approx(0.1)
    assert ended(800_000).quote_error == pytest.approx(-0.2)


@pytest.mark.parametrize(
    "job",
    [
        ended(1_000_000, None),
        ended(1_000_000, status=JobStatus.PROCESSING),
        ended(1_000_000, successful_items=90, cancelled_items=10),
        ended(1_000_000, successful_items=90, failed_items=10),
    ],
)
def test_a_batch_that_was_not_written_whole_tells_no_error(job: BatchJob) -> None:
    assert job.quote_error is None
    assert quote_accuracy([job]) == ()


def test_errors_are_measured_by_source_and_simulated_batches_by_themselves() -> None:
    own = dataclasses.replace(TYPICAL, source="own_batches")
    jobs = [
        ended(1_250_000),
        ended(800_000),
        ended(1_000_000, own),
        ended(2_000_000, simulated=True),
    ]
    own_measured, typical, simulated = quote_accuracy(jobs)
    assert (own_measured.source, own_measured.batches, own_measured.cost_mape) == (
        "own_batches",
        1,
        0.0,
    )
    assert (typical.source, typical.batches) == ("typical", 2)
    assert (typical.cost_mape, typical.cost_p90_coverage) == (0.225, 0.5)
    assert (simulated.simulated, simulated.cost_mape) == (True, 0.5)
