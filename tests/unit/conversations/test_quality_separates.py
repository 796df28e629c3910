"""The quality score separates good conversations from damaged copies of them."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.conversations.quality.score import score_quality
from brightrun.conversations.quality.transcript import Transcript
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import EmotionalArc, Persona, TrainingTopic
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt
from local.claude_simulator.author import write_answer
from tests.effort import effort
from tests.fakes import scaffolding
from tests.unit.conversations.damages import DAMAGES, damaged

DATA = Path(__file__).parents[4] / "shared" / "data"
TOPICS = ("roth_ira_conversion", "mortgage_payoff_strategy", "estate_planning_basics")
SEEDS = (1,)
DAMAGED = effort(3, 1)
"""Of so many good conversations, one is damaged in every way."""
LEAST = 0.95

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Good:
    """A conversation that is as it should be, with what it was made from."""

    conversation: dict[str, Any]
    arc: EmotionalArc
    topic: TrainingTopic


def score(conversation: dict[str, Any], good: Good) -> float:
    return score_quality(
        Transcript(conversation["turns"]),
        declared_arc(good.arc),
        arc_key=good.arc.arc_key,
        key_concepts=good.topic.key_concepts,
    ).score


def written(persona: Persona, arc: EmotionalArc, topic: TrainingTopic, seed: int) -> dict[str, Any]:
    ingredients = PromptContext(
        persona=persona,
        arc=arc,
        topic=topic,
        consultant=scaffolding.consultant(),
        tier=arc.tier,
    )
    prompt = assemble_prompt(scaffolding.template(arc.arc_key), ingredients)
    body = {
        "messages": [{"role": "user", "content": prompt.user}],
        "output_config": {"format": {"schema": RAW_CONVERSATION_SCHEMA}},
    }
    conversation: dict[str, Any] = json.loads(write_answer(body, seed, None))
    return conversation


@cache
def simulated() -> list[Good]:
    topics = [scaffolding.topic(key) for key in TOPICS]
    return [
        Good(written(persona, arc, topic, seed), arc, topic)
        for arc in builtin_records(EmotionalArc)
        for persona in builtin_records(Persona)
        for topic in topics
        for seed in SEEDS
    ]


def real() -> Iterator[Good]:
    """The twelve conversations of v1's file, recreated from their pairs."""
    document = json.loads((DATA / "eq-12.training.json").read_text("utf-8"))
    for entry in document["conversations"]:
        scaffold = entry["conversation_metadata"]["scaffolding"]
        turns = [_turn(pair) for pair in entry["training_pairs"]]
        # One of them ends on a question without an answer; it is good up to there.
        whole = turns[: len(turns) // 2 * 2]
        yield Good(
            {"turns": whole},
            scaffolding.arc(scaffold["emotional_arc_key"]),
            scaffolding.topic(scaffold["training_topic_key"]),
        )


def _turn(pair: dict[str, Any]) -> dict[str, Any]:
    emotions = pair["emotional_context"]["detected_emotions"]
    answer = pair["target_response"]
    return {
        "turn_number": pair["turn_number"],
        "role": "user" if answer is None else "assistant",
        "content": pair["current_user_input"] if answer is None else answer,
        "emotional_context": {
            "primary_emotion": emotions["primary"],
            "intensity": emotions["intensity"],
        },
    }


@dataclass(frozen=True)
class Separation:
    """The scores of good conversations, and those of their damaged copies by kind of damage."""

    good: list[float]
    damaged: dict[str, list[float]]

    def share(self, *kinds: str) -> float:
        """The share of pairs in which the good one scores higher."""
        pairs = [
            one > other
            for kind in kinds or self.damaged
            for one, other in zip(self.good, self.damaged[kind], strict=True)
        ]
        return mean(pairs)

    def report(self, name: str) -> str:
        """A line for all pairs, and one for each kind, with the mean score after the damage."""
        count = len(self.good) * len(self.damaged)
        lines = [
            f"{name}: the good one scores higher in {self.share():.1%} of {count} pairs; "
            f"the mean of the good ones is {mean(self.good):.2f}",
            *(
                f"  {kind:<20} {self.share(kind):>6.1%}   mean {mean(scores):.2f}"
                for kind, scores in self.damaged.items()
            ),
        ]
        return "\n" + "\n".join(lines) + "\n"


@cache
def simulated_separation() -> Separation:
    return separation(simulated()[::DAMAGED])


def separation(goods: list[Good]) -> Separation:
    return Separation(
        [score(good.conversation, good) for good in goods],
        {
            kind: [score(damaged(good.conversation, damage), good) for good in goods]
            for kind, damage in DAMAGES.items()
        },
    )


def test_simulated_conversations_score_higher_than_their_damaged_copies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = simulated_separation()
    with capsys.disabled():
        sys.stdout.write(found.report("simulated"))
    assert found.share() >= LEAST


@pytest.mark.parametrize("kind", sorted(DAMAGES))
def test_no_single_damage_goes_unseen(kind: str) -> None:
    assert simulated_separation().share(kind) >= LEAST


@pytest.mark.skipif(not DATA.is_dir(), reason="v1's files are not here")
def test_real_conversations_score_higher_than_their_damaged_copies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = separation(list(real()))
    with capsys.disabled():
        sys.stdout.write(found.report("real"))
    assert found.share() >= LEAST


def test_damage_changes_the_copy_alone() -> None:
    good = simulated()[0]
    before = copy.deepcopy(good.conversation)
    for damage in DAMAGES.values():
        assert damaged(good.conversation, damage) != before
    assert good.conversation == before


def test_good_conversations_are_fit_for_production() -> None:
    assert all(score(good.conversation, good) >= 3.5 for good in simulated())
