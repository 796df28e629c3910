"""What the trainer will compute, from what validation counts."""

from __future__ import annotations

import pytest

from brightrun.estimates.size import TrainingSize, dataset_size, given_size, sequences
from tests.fakes.datasets import a_dataset, a_waiting_dataset

THE_44_PAIRS = TrainingSize(40, 4, tokens_per_pair=57_369 / 44, pairs_per_conversation=44 / 12)
TINY = 1.28


@pytest.mark.parametrize(
    ("batch_size", "measured_tokens", "measured_sequences"),
    [(4, 27_781, 11), (8, 27_781, 11), (2, 43_204, 22)],
)
def test_the_products_44_pairs_become_the_sequences_that_the_trainer_made_of_them(
    batch_size: int, measured_tokens: int, measured_sequences: int
) -> None:
    found = sequences(THE_44_PAIRS, TINY, batch_size=batch_size, limit=8192)
    assert found.tokens == pytest.approx(measured_tokens, rel=0.02)
    assert found.count == pytest.approx(measured_sequences, rel=0.02)
    assert found.target_share * found.tokens == pytest.approx(18_558, rel=0.05)


def test_pairs_that_stand_alone_are_not_merged() -> None:
    found = sequences(given_size(100, 20_000), 1.0, batch_size=8, limit=4096)
    assert (found.merge_factor, found.count) == (1.0, 90)
    assert found.mean_length == pytest.approx(200)


def test_a_batch_of_one_merges_nothing() -> None:
    found = sequences(THE_44_PAIRS, TINY, batch_size=1, limit=8192)
    assert found.merge_factor == 1.0
    assert found.tokens == pytest.approx(40 * THE_44_PAIRS.tokens_per_pair * TINY)


def test_no_sequence_is_longer_than_its_limit_and_truncation_is_reported() -> None:
    whole, cut = (sequences(THE_44_PAIRS, TINY, batch_size=4, limit=n) for n in (8192, 1500))
    assert (whole.truncated_share, cut.longest) == (0.0, 1500)
    assert 0.1 < cut.truncated_share < 0.3
    assert cut.tokens < whole.tokens


def test_a_dataset_is_as_large_as_its_validation_found() -> None:
    size = dataset_size(
        a_dataset(
            total_training_pairs=44,
            trainable_pairs=44,
            total_validation_pairs=4,
            total_tokens=57_369,
            avg_turns_per_conversation=7.33,
        )
    )
    assert (size.pairs, size.validation_pairs, size.assumptions) == (40, 4, ())
    assert size.tokens_per_pair == pytest.approx(1303.8, abs=0.1)
    assert size.pairs_per_conversation == pytest.approx(3.665)


def test_rows_without_an_answer_have_their_share_of_the_text() -> None:
    found = dataset_size(a_dataset(total_training_pairs=20, trainable_pairs=10, total_tokens=4000))
    assert found.tokens_per_pair == 200


def test_a_format_that_stores_a_text_once_is_counted_with_the_histories() -> None:
    found = dataset_size(
        a_dataset(
            format="messages", trainable_pairs=30, total_tokens=3000, avg_turns_per_conversation=6
        )
    )
    assert found.tokens_per_pair == 100 * (3 + 1) / 2
    merged = sequences(found, 1.0, batch_size=16, limit=4096)
    assert merged.tokens / found.pairs == pytest.approx(100, rel=0.1)


def test_without_a_split_a_tenth_is_held_out() -> None:
    found = dataset_size(a_dataset(total_validation_pairs=None, trainable_pairs=50))
    assert (found.pairs, found.validation_pairs) == (45, 5)


def test_one_pair_at_least_is_trained_on() -> None:
    assert given_size(1, 100).pairs == 1


def test_a_dataset_that_was_not_validated_is_estimated_from_its_bytes_and_says_so() -> None:
    found = dataset_size(a_waiting_dataset(file_size=400_981))
    assert found.pairs + found.validation_pairs == 44
    assert found.tokens_per_pair * 44 == pytest.approx(57_369, rel=0.01)
    assert found.assumptions == (
        "the dataset is uploading, so pairs and tokens are estimated from its 400981 bytes",
    )


def test_without_a_number_of_tokens_v1s_200_per_pair_are_assumed_and_reported() -> None:
    found = given_size(1000, None, pairs_per_conversation=4)
    assert found.tokens_per_pair == 200
    assert found.assumptions == ("200 tokens a pair, as none were given",)
