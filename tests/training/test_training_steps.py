"""Steps, merging and packing: every pair once an epoch, the same on any number of processes."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.catalog.presets import PRESETS
from brightrun.sft.packing import arrange, merge_prefixes, microbatches, plan_steps, saved_factor
from brightrun.sft.settings import evaluations_an_epoch
from brightrun.sft.templates import Example

pair_counts = st.lists(st.integers(1, 4), min_size=1, max_size=40)


def examples_with(pairs: list[int], seed: int = 0) -> list[Example]:
    draw = random.Random(seed)  # noqa: S311 - lengths, not a secret
    return [
        Example([i] * draw.randint(3, 200), [(1, 3)], f"c{i}", count)
        for i, count in enumerate(pairs)
    ]


def chain(turns: int, name: str = "c") -> list[Example]:
    """The pairs of one conversation, each a prefix of the next."""
    return [Example(list(range(10 * n)), [(10 * n - 5, 10 * n)], name) for n in range(1, turns + 1)]


@given(pairs=pair_counts, batch=st.integers(4, 16), epochs=st.integers(1, 3))
def test_an_epoch_has_as_many_steps_as_batches_of_pairs(
    pairs: list[int], batch: int, epochs: int
) -> None:
    steps = plan_steps(examples_with(pairs), batch, epochs, seed=1, evaluations=1)
    share = sum(pairs) / batch
    assert math.floor(share) <= len(steps) / epochs <= math.ceil(share)


@given(pairs=st.integers(1, 60), batch=st.integers(1, 16))
def test_unmerged_pairs_make_full_batches_and_one_rest(pairs: int, batch: int) -> None:
    steps = plan_steps(examples_with([1] * pairs), batch, 1, seed=1, evaluations=1)
    sizes = [len(step.indexes) for step in steps]
    assert sizes == [batch] * (pairs // batch) + [pairs % batch] * (pairs % batch > 0)


@given(pairs=pair_counts, batch=st.integers(1, 16))
def test_every_example_is_learned_once_an_epoch(pairs: list[int], batch: int) -> None:
    steps = plan_steps(examples_with(pairs), batch, 2, seed=1, evaluations=1)
    for epoch in range(2):
        within = [step for step in steps if epoch < step.epoch <= epoch + 1]
        assert sorted(i for step in within for i in step.indexes) == list(range(len(pairs)))


@given(pairs=st.lists(st.just(1), min_size=8, max_size=40), evaluations=st.integers(1, 4))
def test_evaluations_are_spread_over_the_epoch_and_one_ends_it(
    pairs: list[int], evaluations: int
) -> None:
    steps = plan_steps(examples_with(pairs), 2, 1, seed=1, evaluations=evaluations)
    marked = [step for step in steps if step.ends_evaluation_period]
    assert len(marked) == evaluations
    assert marked[-1] is steps[-1]


@pytest.mark.parametrize(
    ("pairs", "epochs", "evaluations"),
    [(1000, 1, 3), (1000, 2, 3), (1000, 3, 2), (1000, 5, 2), (1000, 6, 1), (44, 3, 2), (20, 3, 1),
     (3, 1, 1)],
)  # fmt: skip
def test_several_evaluations_an_epoch_unless_epochs_are_many_or_short(
    pairs: int, epochs: int, evaluations: int
) -> None:
    found = evaluations_an_epoch(0, pairs=pairs, batch_size=4, epochs=epochs)
    assert found == evaluations
    assert evaluations_an_epoch(7, pairs=pairs, batch_size=4, epochs=epochs) == 7


@given(epochs=st.integers(2, 20), pairs=st.integers(160, 5000), batch=st.integers(1, 8))
def test_the_default_patience_can_end_a_run_before_its_last_epoch(
    epochs: int, pairs: int, batch: int
) -> None:
    found = evaluations_an_epoch(0, pairs=pairs, batch_size=batch, epochs=epochs)
    first_possible = PRESETS["balanced"].early_stopping_patience + 1
    assert first_possible <= found * (epochs - 1)


def test_order_changes_with_the_seed_and_the_epoch_only() -> None:
    examples = examples_with([1] * 30)
    plans = [plan_steps(examples, 4, 2, seed, evaluations=1) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    half = len(plans[0]) // 2
    assert [s.indexes for s in plans[0][:half]] != [s.indexes for s in plans[0][half:]]


@given(pairs=pair_counts, world=st.integers(1, 4), limit=st.integers(50, 400))
def test_processes_share_a_step_without_overlap_in_bins_that_fit(
    pairs: list[int], world: int, limit: int
) -> None:
    examples = examples_with(pairs)
    (step,) = plan_steps(examples, 1000, 1, seed=1, evaluations=1)
    shares = [microbatches(step, examples, rank, world, limit) for rank in range(world)]
    together = [i for share in shares for members in share for i in members]
    assert sorted(together) == list(range(len(examples)))
    for members in (members for share in shares for members in share):
        assert len(members) == 1 or sum(len(examples[i].ids) for i in members) <= limit


@given(turns=st.integers(1, 9), limit=st.integers(1, 9))
def test_merging_keeps_every_answer_and_at_most_a_batch_of_them_together(
    turns: int, limit: int
) -> None:
    examples = chain(turns)
    merged = merge_prefixes(examples, limit)
    assert sorted(span for e in merged for span in e.spans) == [e.spans[0] for e in examples]
    assert max(example.pairs for example in merged) <= limit
    assert sum(example.pairs for example in merged) == turns
    assert len(merged) == math.ceil(turns / limit)


def test_pair_whose_context_was_cut_is_not_merged() -> None:
    whole = chain(2)
    cut = Example([7, *whole[1].ids[5:]], [(12, 16)], "c")
    assert len(merge_prefixes([*whole, cut], limit=10)) == 2


def test_equal_rows_are_both_trained() -> None:
    assert len(merge_prefixes([*chain(1), *chain(1)], limit=10)) == 2


@pytest.mark.parametrize(("mode", "sequences"), [("auto", 1), ("off", 4)])
def test_merging_can_be_switched_off(mode: str, sequences: int) -> None:
    assert len(arrange(chain(4), mode, limit=10)) == sequences


def test_merging_that_hardly_saves_anything_is_not_done() -> None:
    long = Example(list(range(1000)), [(990, 1000)], "c")
    barely = [Example(list(range(20)), [(10, 20)], "c"), long]
    assert saved_factor(barely, merge_prefixes(barely, 10)) < 1.3
    assert arrange(barely, "auto", 10) == barely
