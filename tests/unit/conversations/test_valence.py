from __future__ import annotations

import pytest

from brightrun.conversations.emotions import emotion_fit, same_emotion, valence
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import EmotionalArc

ORIGINAL_POSITIVE = [
    "hope",
    "relief",
    "excitement",
    "joy",
    "confidence",
    "gratitude",
    "pride",
    "determination",
    "calm",
    "optimism",
]
ORIGINAL_NEGATIVE = [
    "shame",
    "fear",
    "anxiety",
    "guilt",
    "anger",
    "frustration",
    "overwhelm",
    "sadness",
    "embarrassment",
    "worry",
    "stress",
]


@pytest.mark.parametrize("emotion", ORIGINAL_POSITIVE)
def test_what_the_original_called_positive_stays_positive(emotion: str) -> None:
    assert valence(emotion) == "positive"


@pytest.mark.parametrize("emotion", ORIGINAL_NEGATIVE)
def test_what_the_original_called_negative_stays_negative(emotion: str) -> None:
    assert valence(emotion) == "negative"


@pytest.mark.parametrize("emotion", ["clarity", "empowerment", "acceptance", "compassion"])
def test_frequent_good_feelings_are_no_longer_mixed(emotion: str) -> None:
    assert valence(emotion) == "positive"


@pytest.mark.parametrize("emotion", ["despair", "panic", "confusion", "concern"])
def test_frequent_bad_feelings_are_no_longer_mixed(emotion: str) -> None:
    assert valence(emotion) == "negative"


@pytest.mark.parametrize("emotion", ["hopeless", "hopelessness", "helplessness"])
def test_a_word_is_not_judged_by_a_part_of_it(emotion: str) -> None:
    assert valence(emotion) == "negative"


@pytest.mark.parametrize("emotion", ["tentative_hope", "Cautious Optimism", "RELIEF"])
def test_every_word_of_a_name_counts_whatever_its_case(emotion: str) -> None:
    assert valence(emotion) == "positive"


@pytest.mark.parametrize("emotion", ["", "curiosity", "vulnerability", "hope and fear", "referred"])
def test_unknown_and_two_sided_names_are_mixed(emotion: str) -> None:
    assert valence(emotion) == "mixed"


def test_every_built_in_arc_starts_badly_and_ends_no_worse_than_mixed() -> None:
    for arc in builtin_records(EmotionalArc):
        assert valence(arc.starting_emotion) == "negative", arc.arc_key
        assert valence(arc.ending_emotion) in {"positive", "mixed"}, arc.arc_key


def test_forms_of_a_word_are_the_same_emotion() -> None:
    assert same_emotion("overwhelm", "Overwhelmed")
    assert not same_emotion("overwhelm", "panic")


@pytest.mark.parametrize(
    ("observed", "declared", "fit"),
    [
        ("confused", "confusion", 1.0),
        ("emerging_confidence", "confidence", 1.0),
        ("panic", "fear", 0.6),
        ("curiosity", "clarity", 0.4),
        ("hope", "despair", 0.0),
    ],
)
def test_a_feeling_fits_by_word_then_by_valence(observed: str, declared: str, fit: float) -> None:
    assert emotion_fit(observed, declared) == fit
