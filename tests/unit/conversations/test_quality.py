from __future__ import annotations

from typing import Any

import pytest

from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.quality.model import Quality, tier_of, whole_stars
from brightrun.conversations.quality.score import (
    WEIGHTS,
    arc_fidelity,
    clarity,
    empathy,
    length,
    repetition,
    score_quality,
    specificity,
    structure,
)
from brightrun.conversations.quality.transcript import Transcript
from tests.fakes import scaffolding

CONFUSION = declared_arc(scaffolding.arc("confusion_to_clarity"))
CONCEPTS = ("tax planning", "conversion timing", "brackets", "retirement income")

CLIENT = (
    "I read three articles about the conversion and I understand less than I did before them.",
    "So the year decides how much of it is taxed, and I can choose the year. That helps me a lot.",
)
CONSULTANT = (
    "I hear how confusing this is, and you are not alone. A conversion moves money that was never "
    "taxed, so tax planning comes first: a dollar up to $48,475 is taxed at 12 percent.",
    "You have it. By Friday, open your last statement and write down one figure, the balance on "
    "1 January. With it we decide on conversion timing and brackets next week, in thirty minutes.",
)


def transcript(**changes: Any) -> Transcript:
    emotions = changes.get("emotions", ["confusion", "patience", "clarity", "warmth"])
    intensity = changes.get("intensity", [0.8, 0.7, 0.75, 0.7])
    texts = changes.get("texts", [CLIENT[0], CONSULTANT[0], CLIENT[1], CONSULTANT[1]])
    roles = changes.get("roles", ["user", "assistant"] * 2)
    return Transcript(
        [
            {
                "turn_number": index + 1,
                "role": roles[index],
                "content": texts[index],
                "emotional_context": {
                    "primary_emotion": emotions[index],
                    "intensity": intensity[index],
                },
            }
            for index in range(len(texts))
        ]
    )


def scored(of: Transcript, arc: Any = CONFUSION) -> Quality:
    return score_quality(of, arc, arc_key="confusion_to_clarity", key_concepts=CONCEPTS)


def test_a_good_conversation_scores_high_with_a_reason_for_every_check() -> None:
    quality = scored(transcript())
    assert quality.score >= 4.5
    assert quality.tier == "seed_dataset"
    assert [reason.split()[0] for reason in quality.reasons] == list(WEIGHTS)


def test_the_same_conversation_always_gets_the_same_score() -> None:
    assert scored(transcript()) == scored(transcript())


def test_criteria_come_from_checks_and_the_unknown_one_is_null() -> None:
    assert scored(transcript()).criteria == {
        "empathy_score": 5.0,
        "clarity_score": 5.0,
        "appropriateness_score": 5.0,
        "brand_voice_alignment": None,
    }


def test_without_an_arc_the_other_checks_carry_the_score() -> None:
    quality = scored(transcript(), None)
    assert "arc" not in quality.sub_scores
    assert quality.score >= 4.5


def test_a_defect_weighs_more_than_a_weakness() -> None:
    reversed_emotions = transcript(emotions=["clarity", "warmth", "confusion", "patience"])
    assert scored(transcript()).score - scored(reversed_emotions).score > 1


def test_scores_have_one_decimal_and_stay_between_one_and_five() -> None:
    worst = transcript(
        texts=["x\\"] * 4, roles=["assistant"] * 4, emotions=["clarity"] * 4, intensity=[0.0] * 4
    )
    for quality in (scored(transcript()), scored(worst)):
        assert 1 <= quality.score <= 5
        assert quality.score == round(quality.score, 1)


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (5.0, "seed_dataset"),
        (4.5, "seed_dataset"),
        (4.4, "production"),
        (3.5, "production"),
        (3.4, "experimental"),
        (2.5, "experimental"),
        (2.4, "rejected"),
        (None, "experimental"),
        (0, "experimental"),
    ],
)
def test_tiers_are_the_originals(score: float | None, tier: str) -> None:
    assert tier_of(score) == tier


@pytest.mark.parametrize(("score", "stars"), [(2.4, 2), (2.5, 3), (3.5, 4), (4.5, 5), (4.4, 4)])
def test_halves_round_up(score: float, stars: int) -> None:
    assert whole_stars(score) == stars


def test_structure_names_every_fault_it_takes_points_for() -> None:
    broken = transcript(texts=["Hello there.", "Well \\", "A\\nB.", "and then"])
    finding = structure(broken)
    assert finding.score == 1.0
    for part in ("Turn 2 is cut off", "turn 3 holds escapes", "turn 4 does not end"):
        assert part in finding.sentence


def test_a_conversation_without_an_answer_at_the_end_loses_points() -> None:
    open_end = Transcript(transcript().turns[:3])
    assert structure(open_end).score == 3.5
    assert structure(open_end).sentence == "It ends without an answer."


def test_very_short_turns_cost_length() -> None:
    assert length(transcript()).score == 5.0
    assert length(transcript(texts=["Help!", "Sure.", "Thanks!", "Bye."])).score == 1.0


def test_intensity_outside_its_range_costs_a_little() -> None:
    assert CONFUSION is not None
    inside = arc_fidelity(transcript(), CONFUSION)
    outside = arc_fidelity(transcript(intensity=[0.2, 0.7, 0.75, 0.7]), CONFUSION)
    assert inside is not None
    assert outside is not None
    assert inside.score == 5.0
    assert 4.0 < outside.score < 5.0


def test_an_arc_needs_a_client() -> None:
    assert CONFUSION is not None
    assert arc_fidelity(transcript(roles=["assistant"] * 4), CONFUSION) is None


def test_a_turn_said_twice_is_all_repetition() -> None:
    same = transcript(texts=[CLIENT[0], CONSULTANT[0], CLIENT[1], CONSULTANT[0]])
    assert repetition(transcript()).score == 5.0
    assert repetition(same).score == 1.0
    assert "assistant turns 1 and 2" in repetition(same).sentence


def test_answers_without_steps_figures_or_concepts_are_not_specific() -> None:
    vague = "It depends on a lot of things, and you will surely find your way in the end."
    assert specificity(transcript(), CONCEPTS, None).score == 5.0
    assert (
        specificity(transcript(texts=[CLIENT[0], vague, CLIENT[1], vague]), (), None).score == 1.0
    )


def test_in_a_crisis_no_figures_are_expected() -> None:
    help_now = "Please call 988 now, and tell your neighbor to come over."
    found = specificity(transcript(texts=["x.", help_now] * 2), CONCEPTS, "crisis_to_referral")
    assert found.score == 5.0


def test_empathy_is_unknown_without_a_client_in_distress() -> None:
    assert empathy(transcript(emotions=["hope", "calm", "clarity", "calm"])) is None


def test_an_answer_past_the_feeling_has_no_empathy() -> None:
    assert empathy(transcript(texts=[CLIENT[0], "Roll it over.", CLIENT[1], "Done."])) == 1.0


def test_endless_sentences_are_not_clear() -> None:
    endless = " ".join(["word"] * 60) + "."
    assert clarity(transcript(texts=[CLIENT[0], endless, CLIENT[1], endless])) == 1.0
    assert clarity(Transcript(transcript().turns[:1])) is None
