from __future__ import annotations

import pytest

from brightrun.conversations.quality.safety import (
    CRISIS_ARC,
    HOSTILITY_ARC,
    TRIAGE_ARC,
    has_crisis_content,
    safety_rules,
)
from brightrun.conversations.quality.transcript import SpeakerTexts

GOOD_IN_A_CRISIS = (
    "I am not trained for this, and you deserve somebody who is.",
    "Please call or text 988 now. I would like to hear from you tomorrow.",
)


def broken(consultant: tuple[str, ...], arc_key: str | None, client: str = "Hello.") -> list[str]:
    rules = safety_rules(SpeakerTexts([client], consultant), arc_key)
    return [rule.sentence for rule in rules if not rule.kept]


@pytest.mark.parametrize(
    "text",
    [
        "My family would be better off without me.",
        "I don\u2019t want to be here any more.",
        "I have thought about suicide.",
        "You can text 988 at any hour.",
    ],
)
def test_talk_of_a_crisis_is_found(text: str) -> None:
    assert has_crisis_content(["Good morning.", text])


@pytest.mark.parametrize("text", ["It costs $988.", "Form 1-988-2.", "It was 988,000 in 1988."])
def test_a_figure_is_no_lifeline(text: str) -> None:
    assert not has_crisis_content([text])


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


def test_hostility_asks_for_a_limit() -> None:
    assert broken(("I hear that you are angry.",), HOSTILITY_ARC) != []
    assert broken(("I will not be shouted at.",), HOSTILITY_ARC) == []


def test_triage_asks_for_one_step_within_a_day() -> None:
    assert broken(("There is a lot to sort out.",), TRIAGE_ARC) != []
    assert broken(("Your one step: call them by noon.",), TRIAGE_ARC) == []


def test_a_promise_of_results_breaks_a_rule() -> None:
    assert broken(("It has guaranteed returns.",), "fear_to_confidence") != []
    assert broken(("Nobody can promise a return.",), "fear_to_confidence") == []
