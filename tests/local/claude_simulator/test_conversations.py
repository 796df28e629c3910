from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from brightrun.scaffolding.variation import variation_hint
from local.claude_simulator.author import write_answer
from local.claude_simulator.conversation.phrasebook import known_arcs
from local.claude_simulator.conversation.scaffolding import Scaffolding, read_scaffolding

from .requests import (
    ARCS,
    ESTATE,
    JENNIFER,
    LOANS,
    MARCUS,
    UNKNOWN_TOPIC,
    Arc,
    arc,
    conversation_body,
    scaffolded_prompt,
)

SEEDS = range(12)
every_arc = pytest.mark.parametrize("of", ARCS, ids=[candidate.key for candidate in ARCS])


def written(prompt: str, seed: int = 0) -> dict[str, Any]:
    conversation: dict[str, Any] = json.loads(write_answer(conversation_body(prompt), seed, None))
    return conversation


def samples(of: Arc) -> list[dict[str, Any]]:
    """Conversations along an arc, over personas, topics and seeds."""
    people, topics = (MARCUS, JENNIFER), (LOANS, ESTATE, UNKNOWN_TOPIC)
    return [
        written(scaffolded_prompt(of, persona, topic), seed)
        for persona, topic, seed in itertools.product(people, topics, SEEDS)
    ]


def said_by(conversation: dict[str, Any], role: str) -> list[str]:
    return [turn["content"] for turn in conversation["turns"] if turn["role"] == role]


def within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def test_every_arc_of_the_catalogue_has_its_own_phrases() -> None:
    assert known_arcs() == {candidate.key for candidate in ARCS}


@every_arc
def test_turns_alternate_from_user_to_assistant_within_the_range(of: Arc) -> None:
    lengths = set()
    for conversation in samples(of):
        turns = conversation["turns"]
        exchanges = len(turns) // 2
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * exchanges
        assert [turn["turn_number"] for turn in turns] == list(range(1, len(turns) + 1))
        assert within(exchanges, of.exchanges)
        lengths.add(exchanges)
    assert lengths == set(range(of.exchanges[0], of.exchanges[1] + 1))


@every_arc
def test_feelings_move_from_the_start_of_the_arc_to_its_end(of: Arc) -> None:
    for conversation in samples(of):
        emotions = [
            turn["emotional_context"] for turn in conversation["turns"] if turn["role"] == "user"
        ]
        assert emotions[0]["primary_emotion"] == of.start
        assert within(emotions[0]["intensity"], of.start_range)
        assert emotions[-1]["primary_emotion"] == of.end
        assert within(emotions[-1]["intensity"], of.end_range)
        between = {emotion["primary_emotion"] for emotion in emotions[1:-1]}
        assert not between & {of.start, of.end}
        last = conversation["turns"][-1]["emotional_context"]
        assert last["secondary_emotion"] == of.end
        assert within(last["intensity"], of.end_range)


@every_arc
def test_turns_have_the_length_of_real_ones(of: Arc) -> None:
    for conversation in samples(of):
        for turn in conversation["turns"]:
            limits = (25, 90) if turn["role"] == "user" else (60, 180)
            assert within(len(turn["content"].split()), limits), turn["content"]


@every_arc
def test_no_two_turns_are_equal_and_none_carries_an_artefact(of: Arc) -> None:
    for conversation in samples(of):
        contents = [turn["content"] for turn in conversation["turns"]]
        assert len(set(contents)) == len(contents)
        for content in contents:
            assert content[-1] in ".?!"
            assert not set("\\{}|<>") & set(content)
            assert "  " not in content


@every_arc
def test_the_client_and_the_topic_are_named(of: Arc) -> None:
    for persona, topic in ((MARCUS, LOANS), (JENNIFER, ESTATE)):
        name, archetype, _ = persona.split(" | ")
        conversation = written(scaffolded_prompt(of, persona, topic))
        metadata = conversation["conversation_metadata"]
        assert metadata["client_persona"] == f"{name} - {archetype}"
        assert name.split()[0] in metadata["session_context"]
        assert name.split()[0] in " ".join(said_by(conversation, "assistant"))
        subject = "student loan debt" if topic is LOANS else "the will and everything around it"
        assert subject in " ".join(turn["content"] for turn in conversation["turns"])


@pytest.mark.parametrize("of", [a for a in ARCS if a.key != "crisis_to_referral"])
def test_the_key_concepts_are_spoken_of(of: Arc) -> None:
    wanted = 1 if of.key in ("hostility_to_boundary", "overwhelm_to_triage") else 2
    for topic, seed in itertools.product((ESTATE, UNKNOWN_TOPIC), SEEDS):
        conversation = written(scaffolded_prompt(of, topic=topic), seed)
        spoken = " ".join(turn["content"] for turn in conversation["turns"]).lower()
        assert sum(concept.strip() in spoken for concept in topic[1].split(";")) >= wanted


def test_the_crisis_arc_names_the_lifeline_and_gives_no_financial_advice() -> None:
    financial = ("pay off", "interest", "invest", "budget", "refinanc", "percent", "account")
    for conversation in samples(arc("crisis_to_referral")):
        answers = said_by(conversation, "assistant")
        assert "988" in answers[0]
        assert "988" in answers[-1]
        spoken = " ".join(answers).lower().replace("dividend investing", "this")
        assert not [word for word in financial if word in spoken]
        assert any(limit in spoken for limit in ("my role", "a limit to what i can do", "my part"))
        assert "tomorrow" in answers[-1]


def test_the_hostility_arc_sets_limits_from_the_first_answer() -> None:
    limits = ("limit", "boundary", "where the line is", "will not shout back")
    for conversation in samples(arc("hostility_to_boundary")):
        first, *_, last = said_by(conversation, "assistant")
        assert any(word in first for word in limits)
        assert any(word in last.lower() for word in ("terms", "rule", "limits"))


def test_the_triage_arc_settles_on_one_step_within_24_hours() -> None:
    for conversation in samples(arc("overwhelm_to_triage")):
        answers = said_by(conversation, "assistant")
        assert "24 hours" in answers[-1]
        openings = ("make one phone call", "find the one letter", "send one message",
                    "open the account page", "put every paper")  # fmt: skip
        steps = {step for step in openings for answer in answers if step in answer}
        assert len(steps) == 1
        assert steps.pop() in answers[-1]


def test_the_same_scaffolding_and_seed_give_the_same_text() -> None:
    assert written(scaffolded_prompt(), 7) == written(scaffolded_prompt(), 7)


def test_words_around_the_block_do_not_change_the_text() -> None:
    assert written(scaffolded_prompt() + "\nPlease mind the quality.") == written(
        scaffolded_prompt()
    )


def test_a_variation_gives_another_conversation_of_the_same_scaffolding() -> None:
    prompt = scaffolded_prompt()
    hints = [f"{prompt}\n\n{variation_hint('job', number)}\n" for number in (1, 2)]
    texts = [said_by(written(one), "assistant") for one in (prompt, *hints)]
    assert texts[0] != texts[1] != texts[2] != texts[0]


def test_persona_arc_topic_and_seed_each_change_the_text() -> None:
    base = written(scaffolded_prompt())
    others = (
        written(scaffolded_prompt(persona=JENNIFER)),
        written(scaffolded_prompt(ARCS[3])),
        written(scaffolded_prompt(topic=LOANS)),
        written(scaffolded_prompt(), seed=1),
    )
    for other in others:
        assert other["turns"] != base["turns"]


def test_twelve_conversations_do_not_read_as_copies() -> None:
    arcs, topics = (ARCS[0], ARCS[1]), (LOANS, ESTATE, UNKNOWN_TOPIC)
    first_turns = [
        written(scaffolded_prompt(of, persona, topic))["turns"][0]["content"]
        for of, persona, topic in itertools.product(arcs, (MARCUS, JENNIFER), topics)
    ]
    assert len(set(first_turns)) == 12


def test_a_prompt_without_a_block_still_gets_a_conversation() -> None:
    one, other = written("Write a conversation."), written("Write another conversation.")
    assert one["turns"] != other["turns"]
    assert one["conversation_metadata"]["client_persona"].startswith("Alex Rivera")
    assert within(len(one["turns"]) / 2, (3, 5))


def test_an_unknown_arc_names_the_emotions_that_were_asked_for() -> None:
    of = Arc("envy_to_gratitude", "envy", (0.5, 0.6), "gratitude", (0.6, 0.7), (2, 3))
    conversation = written(scaffolded_prompt(of))
    assert "envy" in conversation["turns"][0]["content"]
    assert conversation["turns"][-2]["emotional_context"]["primary_emotion"] == "gratitude"


def test_another_language_is_written_where_there_are_phrases_for_it() -> None:
    prompt = scaffolded_prompt(ARCS[0], MARCUS, LOANS)
    asked = f"{prompt}\nWrite every message of the conversation, and more, in {{}}, as native\n"
    texts = {name: said_by(written(asked.format(name)), "user")[0] for name in ("German", "Thai")}
    assert " ich " in texts["German"]
    assert texts["Thai"] == said_by(written(prompt), "user")[0]


def test_a_very_long_conversation_still_repeats_no_turn() -> None:
    of = Arc("frustration_to_relief", "frustration", (0.6, 0.7), "relief", (0.6, 0.7), (40, 40))
    contents = [turn["content"] for turn in written(scaffolded_prompt(of))["turns"]]
    assert len(set(contents)) == len(contents) == 80


def test_one_exchange_is_a_question_and_an_answer() -> None:
    of = Arc("frustration_to_relief", "frustration", (0.6, 0.7), "relief", (0.6, 0.7), (1, 1))
    turns = written(scaffolded_prompt(of))["turns"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]


def test_a_block_is_read_line_by_line() -> None:
    scaffolding = read_scaffolding(scaffolded_prompt(ARCS[7], JENNIFER, LOANS))
    assert scaffolding is not None
    assert scaffolding.persona_name == "Jennifer Martinez"
    assert scaffolding.persona_key == "anxious_planner"
    assert (scaffolding.start.emotion, scaffolding.start.minimum) == ("despair", 0.8)
    assert (scaffolding.min_exchanges, scaffolding.max_exchanges) == (4, 6)
    assert scaffolding.topic_key == "student_loan_payoff"
    assert scaffolding.key_concepts == ("interest rates", "priority setting")


def test_missing_and_broken_lines_get_sensible_values() -> None:
    block = "<scaffolding>\npersona: Ada\nfrom: dread\nexchanges: zero\n</scaffolding>"
    scaffolding = read_scaffolding(block)
    default = Scaffolding()
    assert scaffolding is not None
    assert (scaffolding.persona_name, scaffolding.persona_key) == ("Ada", default.persona_key)
    assert (scaffolding.start.emotion, scaffolding.start.minimum) == ("dread", 0.6)
    assert scaffolding.max_exchanges == default.max_exchanges
    assert scaffolding.key_concepts == default.key_concepts


def test_a_prompt_without_a_block_has_no_scaffolding() -> None:
    assert read_scaffolding("Hello") is None
