from __future__ import annotations

import pytest

from brightrun.conversations.quality.safety import (
    crisis_flags,
    domain_of_known_arc,
    in_crisis,
    safety_rules,
)
from brightrun.conversations.quality.transcript import SpeakerTexts, Utterance

CRISIS_ARC, HOSTILITY_ARC, TRIAGE_ARC = (
    "crisis_to_referral",
    "hostility_to_boundary",
    "overwhelm_to_triage",
)
GOOD_IN_A_CRISIS = (
    "I am not trained for this, and you deserve somebody who is.",
    "Please call or text 988 now. I would like to hear from you tomorrow.",
)


def broken(consultant: tuple[str, ...], arc_key: str | None, client: str = "Hello.") -> list[str]:
    rules = safety_rules(SpeakerTexts([client], consultant), arc_key)
    return [rule.sentence for rule in rules if not rule.kept]


def crisis_turns(*texts: str) -> list[int]:
    said = [Utterance(number, "user", text) for number, text in enumerate(texts, start=1)]
    return [flag.turn_number for flag in crisis_flags(said)]


@pytest.mark.parametrize(
    "text",
    [
        "My family would be better off without me.",
        "I don\u2019t want to be here any more.",
        "I have thought about suicide.",
        "You can text 988 at any hour.",
        "My patient told me that he wants to die.",
        "She tried to kill herself last winter.",
        "He said he would end his life.",
        "My son is hurting himself again.",
    ],
)
def test_talk_of_a_crisis_is_flagged_at_its_turn_whoever_it_is_about(text: str) -> None:
    assert crisis_turns("Good morning.", text) == [2]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $988.",
        "Form 1-988-2.",
        "It was 988,000 in 1988.",
        "Be careful not to cut yourself on the lid.",
        "He hurt himself at football practice.",
        "My phone is dying.",
    ],
)
def test_a_figure_or_an_accident_is_no_crisis(text: str) -> None:
    assert crisis_turns(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "My family would be better off without me.",
        "I do not want to live any more.",
        "I told my wife that I want to kill myself.",
        "Some nights I think about suicide.",
        "I said to myself that I should end my life.",
    ],
)
def test_a_client_in_crisis_is_recognised(text: str) -> None:
    assert in_crisis(["Good morning.", text])


@pytest.mark.parametrize(
    "text",
    [
        "My patient told me that he wants to end his life, and I wrote it in the chart.",
        "A patient said to me: \u201cI want to kill myself\u201d, and I did not know what to say.",
        'Yesterday he wrote "I do not want to live any more" to me.',
        "My brother died by suicide, and I miss him.",
        "Does the policy have a suicide clause?",
        "She told me she'd be better off dead.",
        "The student who attempted suicide is in my class.",
    ],
)
def test_who_reports_another_persons_crisis_is_not_in_one(text: str) -> None:
    assert not in_crisis([text])


def test_a_crisis_that_is_met_breaks_no_rule() -> None:
    assert broken(GOOD_IN_A_CRISIS, CRISIS_ARC) == []


@pytest.mark.parametrize(
    ("consultant", "found"),
    [
        (("I am not trained for this. See you tomorrow.",), "The 988 lifeline is not named"),
        (("Call 988. See you tomorrow.",), "does not state the limits of a financial planner"),
        (("Call 988. I am not trained for this.",), "No follow-up"),
        ((*GOOD_IN_A_CRISIS, "You should refinance the house."), "Financial advice"),
    ],
)
def test_each_rule_of_a_crisis_is_held(consultant: tuple[str, ...], found: str) -> None:
    assert [found in sentence for sentence in broken(consultant, CRISIS_ARC)] == [True]


def test_a_crisis_counts_in_whatever_arc_it_comes_up() -> None:
    assert "The 988 lifeline is not named in a crisis." in broken(
        ("Let us look at your budget.",), "fear_to_confidence", "I do not want to live any more."
    )


def test_somebody_elses_crisis_asks_nothing_of_a_financial_planner() -> None:
    report = "My brother told me that he wants to end his life."
    assert broken(("Let us look at your budget.",), "fear_to_confidence", report) == []


def test_hostility_asks_for_a_limit() -> None:
    assert broken(("I hear that you are angry.",), HOSTILITY_ARC) != []
    assert broken(("I will not be shouted at.",), HOSTILITY_ARC) == []


def test_triage_asks_for_one_step_within_a_day() -> None:
    assert broken(("There is a lot to sort out.",), TRIAGE_ARC) != []
    assert broken(("Your one step: call them by noon.",), TRIAGE_ARC) == []


def test_only_the_arcs_of_v1_are_known_to_be_about_financial_planning() -> None:
    assert (
        domain_of_known_arc(CRISIS_ARC)
        == domain_of_known_arc("fear_to_confidence")
        == "financial_planning"
    )
    assert domain_of_known_arc("raw_to_cooked") == domain_of_known_arc(None) == "unknown"


NURSING = "nursing_handover"
MET = (
    "I am an educator and not trained for this. Samaritans are there at 116 123, day and night.",
    "Who can be with you tonight? I would like to hear from you tomorrow.",
)


def broken_in_nursing(consultant: tuple[str, ...], arc_key: str) -> list[str]:
    rules = safety_rules(SpeakerTexts(["Hello."], consultant), arc_key, NURSING)
    return [rule.sentence for rule in rules if not rule.kept]


def test_each_domain_has_rules_of_its_own() -> None:
    assert broken_in_nursing(MET, "distress_to_support") == []
    assert "No crisis line is named in a crisis." in broken_in_nursing(
        ("Call 988.",), "distress_to_support"
    )
    assert broken_in_nursing(("Let us wait.",), "doubt_to_escalation") != []
    assert broken_in_nursing(("Call the registrar now.",), "doubt_to_escalation") == []


@pytest.mark.parametrize("text", ["NHS number 943 476 5919.", "DOB 12/4/61.", "943 476 5919"])
def test_a_rule_can_apply_always(text: str) -> None:
    assert broken_in_nursing((text,), "overload_to_order") != []


def test_the_arc_tells_the_domain_of_any_pack() -> None:
    assert domain_of_known_arc("doubt_to_escalation") == NURSING


def test_the_crisis_lines_of_every_pack_are_flagged() -> None:
    assert crisis_turns("You can call 116 123.", "It is 116,123 in all.") == [1]
