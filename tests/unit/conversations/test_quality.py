from __future__ import annotations

import time
from typing import Any

import pytest

from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.quality.flags import turn_flags
from brightrun.conversations.quality.model import HIGHEST_SCORE, Quality, tier_of, whole_stars
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
from brightrun.conversations.quality.transcript import Finding, Transcript, Unknown
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
        ],
        changes.get("language"),
    )


def scored(of: Transcript, arc: Any = CONFUSION) -> Quality:
    return score_quality(of, arc, arc_key="confusion_to_clarity", key_concepts=CONCEPTS)


def score_of(found: Finding | Unknown) -> float:
    assert isinstance(found, Finding)
    return found.score


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


def test_without_an_arc_the_other_checks_carry_the_score_and_the_reason_says_so() -> None:
    quality = scored(transcript(), None)
    assert "arc" not in quality.sub_scores
    assert "arc unknown: No arc is declared." in quality.reasons
    assert quality.score >= 4.5


GERMAN = (
    "Ich verstehe nicht, wie das mit der Umwandlung geht, und es macht mir ehrlich gesagt Angst.",
    "Das ist verst\u00e4ndlich, und Sie sind damit nicht allein. Nehmen Sie sich heute eine halbe "
    "Stunde Zeit, und schreiben Sie auf, was Sie im Monat ausgeben; dann sehen wir weiter.",
)


def test_what_reads_english_is_unknown_in_another_language() -> None:
    quality = scored(transcript(texts=[*GERMAN, GERMAN[0] + " Danke.", GERMAN[1] + " Bis bald."]))
    assert set(quality.sub_scores) == {"structure", "length", "arc", "repetition"}
    assert quality.criteria["appropriateness_score"] is quality.criteria["empathy_score"] is None
    assert "specificity unknown: The check reads English, and most of the words are not." in (
        quality.reasons
    )


def test_the_length_of_a_script_without_spaces_is_unknown() -> None:
    chinese = "\u6211\u4e0d\u660e\u767d\u8fd9\u4e2a\u95ee\u9898\uff0c\u8bf7\u5e2e\u6211\u3002"
    assert isinstance(length(transcript(texts=[chinese] * 4)), Unknown)


FLAGGED_TURNS = [
    (" 40 units of insulin now, it cannot fail, do not call the doctor.", 2.4, "medical_directive"),
    (" Sign it, you don't need a lawyer.", 2.4, "legal_directive"),
    (" Put all your savings into this one stock.", 2.4, "financial_directive"),
    (" You would be better off dead.", 2.4, "self_harm_directive"),
    (" <|im_end|>", 2.4, "special_token"),
    (" a" * 60 + ".", 2.4, "degenerate_repetition"),
    (" It is guaranteed to double.", 3.4, "guarantee"),
    (" Hm\x07.", 3.4, "control_character"),
    (" \u202eHm\u202c.", 3.4, "bidirectional_override"),
    (" Hm\u200bm.", 3.4, "invisible_characters"),
    (" You can text 988.", 4.4, "crisis_content"),
]


@pytest.mark.parametrize("arc", [CONFUSION, None])
@pytest.mark.parametrize(("text", "most", "code"), FLAGGED_TURNS)
def test_a_flag_limits_the_score_in_any_domain_and_the_reason_names_its_turn(
    text: str, most: float, code: str, arc: Any
) -> None:
    texts = [CLIENT[0], CONSULTANT[0] + text, CLIENT[1], CONSULTANT[1]]
    quality = score_quality(
        transcript(texts=texts), arc, arc_key=arc and "confusion_to_clarity", key_concepts=CONCEPTS
    )
    assert quality.score <= most
    assert quality.tier == tier_of(quality.score) != "seed_dataset"
    assert f"{code} in turn 2" in quality.reasons[-1]


def test_every_limit_keeps_a_conversation_out_of_a_tier() -> None:
    tiers = {severity: tier_of(score) for severity, score in HIGHEST_SCORE.items()}
    assert tiers == {"severe": "rejected", "major": "experimental", "review": "production"}


def test_the_safety_of_a_domain_without_rules_is_unknown() -> None:
    quality = score_quality(transcript(), None, arc_key="raw_to_cooked", key_concepts=())
    assert "safety" not in quality.sub_scores
    assert quality.criteria["appropriateness_score"] is None
    assert (
        "safety unknown: There are no safety rules for this domain; nothing harmful is found in it."
        in quality.reasons
    )


def test_what_is_flagged_lowers_the_safety_of_any_domain() -> None:
    texts = [CLIENT[0], "Take 40 units of insulin, it cannot fail.", CLIENT[1], CONSULTANT[1]]
    quality = score_quality(transcript(texts=texts), None, arc_key=None, key_concepts=())
    assert quality.sub_scores["safety"] == quality.criteria["appropriateness_score"] == 1.0
    (reason,) = [one for one in quality.reasons if one.startswith("safety 1.0")]
    assert "In turn 2: It directs a treatment" in reason
    assert "guarantees an outcome" in reason


@pytest.mark.parametrize("domain", ["unknown", "financial_planning"])
def test_a_nurse_who_reports_a_patients_words_is_not_in_a_crisis(domain: Any) -> None:
    report = "My patient told me that he wants to end his life, and I do not know what to write."
    answer = "That is hard to hear. Write down his words today, and tell the psychiatrist on call."
    quality = score_quality(
        transcript(texts=[report, answer, CLIENT[1], CONSULTANT[1]]),
        None,
        arc_key=None,
        key_concepts=(),
        domain=domain,
    )
    assert quality.sub_scores.get("safety") == (None if domain == "unknown" else 5.0)
    assert not any("988" in reason or "planner" in reason for reason in quality.reasons)
    assert any("crisis_content in turn 1" in reason for reason in quality.reasons)


def test_a_megabyte_of_one_letter_is_rejected_within_seconds() -> None:
    texts = [CLIENT[0], "a" * 1_000_000, CLIENT[1], CONSULTANT[1]]
    began = time.process_time()
    quality = scored(transcript(texts=texts))
    assert time.process_time() - began < 10
    assert quality.score <= 2.4


def test_thousands_of_turns_are_scored_within_seconds() -> None:
    texts = [f"{CLIENT[0]} {number}." for number in range(4000)]
    began = time.process_time()
    quality = scored(
        transcript(
            texts=texts,
            roles=["user", "assistant"] * 2000,
            emotions=["confusion"] * 4000,
            intensity=[0.8] * 4000,
        )
    )
    assert time.process_time() - began < 10
    assert quality.score <= 2.4


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
    assert score_of(length(transcript())) == 5.0
    assert score_of(length(transcript(texts=["Help!", "Sure.", "Thanks!", "Bye."]))) == 1.0


def test_intensity_outside_its_range_costs_a_little() -> None:
    assert CONFUSION is not None
    inside = arc_fidelity(transcript(), CONFUSION)
    outside = arc_fidelity(transcript(intensity=[0.2, 0.7, 0.75, 0.7]), CONFUSION)
    assert isinstance(inside, Finding)
    assert isinstance(outside, Finding)
    assert inside.score == 5.0
    assert 4.0 < outside.score < 5.0


def test_an_arc_needs_a_client() -> None:
    assert CONFUSION is not None
    nobody = arc_fidelity(transcript(roles=["assistant"] * 4), CONFUSION)
    assert nobody == Unknown("There is no turn of a client.")


def test_a_turn_said_twice_is_all_repetition() -> None:
    same = transcript(texts=[CLIENT[0], CONSULTANT[0], CLIENT[1], CONSULTANT[0]])
    kept, found = repetition(transcript()), repetition(same)
    assert isinstance(kept, Finding)
    assert isinstance(found, Finding)
    assert (kept.score, found.score) == (5.0, 1.0)
    assert "assistant turns 1 and 2" in found.sentence


def test_answers_without_steps_figures_or_concepts_are_not_specific() -> None:
    vague = "It depends on a lot of things, and you will surely find your way in the end."
    nothing = specificity(transcript(texts=[CLIENT[0], vague, CLIENT[1], vague]), (), None)
    assert score_of(specificity(transcript(), CONCEPTS, None)) == 5.0
    assert score_of(nothing) == 1.0


def test_in_a_crisis_no_figures_are_expected() -> None:
    help_now = "Please call 988 now, and tell your neighbor to come over."
    found = specificity(transcript(texts=["x.", help_now] * 2), CONCEPTS, "crisis_to_referral")
    assert score_of(found) == 5.0


def test_empathy_is_unknown_without_a_client_in_distress() -> None:
    assert empathy(transcript(emotions=["hope", "calm", "clarity", "calm"])) is None


def test_an_answer_past_the_feeling_has_no_empathy() -> None:
    assert empathy(transcript(texts=[CLIENT[0], "Roll it over.", CLIENT[1], "Done."])) == 1.0


def test_endless_sentences_are_not_clear() -> None:
    endless = " ".join(["word"] * 60) + "."
    assert clarity(transcript(texts=[CLIENT[0], endless, CLIENT[1], endless])) == 1.0
    assert clarity(Transcript(transcript().turns[:1])) is None


IN_GERMAN = (
    "Ich habe drei Artikel darüber gelesen und verstehe jetzt weniger als vorher, das ärgert mich.",
    "Das verstehe ich gut. Schreib bis Freitag eine einzige Zahl auf, und wir sehen sie uns an.",
    "Dann weiß ich, womit ich anfange, und der Rest darf liegen bleiben. Danke für die Geduld.",
    "Gern. Du hast den Anfang selbst gefunden, und mehr braucht es in dieser Woche wirklich nicht.",
)


def test_checks_that_read_english_judge_no_other_language() -> None:
    quality = scored(transcript(texts=IN_GERMAN, language="de"))
    assert set(quality.sub_scores) == {"structure", "length", "arc", "repetition"}
    assert quality.criteria["empathy_score"] is None
    assert quality.criteria["clarity_score"] is None
    assert quality.criteria["appropriateness_score"] is None
    assert any(one.startswith("safety unknown") for one in quality.reasons)


def test_emotions_that_are_not_named_in_english_tell_nothing_of_the_arc() -> None:
    strange = ["verwirrung", "geduld", "klarheit", "wärme"]
    found = arc_fidelity(transcript(texts=IN_GERMAN, language="de", emotions=strange), CONFUSION)
    assert isinstance(found, Unknown)
    assert isinstance(arc_fidelity(transcript(emotions=strange), CONFUSION), Finding)


def test_repetition_cannot_be_counted_without_spaces() -> None:
    chinese = "\u4eca\u5929\u6211\u60f3\u8c08\u8c08\u8fd9\u4e2a\u95ee\u9898\u3002"
    assert isinstance(repetition(transcript(texts=[chinese] * 4, language="zh")), Unknown)


def test_english_is_flagged_where_another_language_was_asked_for() -> None:
    turns = transcript().turns
    assert [flag.code for flag in turn_flags(turns, "de")] == ["wrong_language"]
    assert turn_flags(turns, "en") == turn_flags(turns) == []
    assert turn_flags(transcript(texts=IN_GERMAN).turns, "de") == []
