"""The simulated judge: the same text, the same judgement; every defect costs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from brightrun.conversations.emotions import DeclaredArc
from brightrun.conversations.quality.judgement import current_rubric, judge_prompt, read_verdicts
from local.claude_simulator.author import write_answer
from local.claude_simulator.schema_rules import check_schema
from tests.local.claude_simulator.requests import conversation_body, json_format, message_body

CONFUSED = DeclaredArc("confusion", "clarity", (0.7, 0.85), (0.7, 0.8))
SCHEMA = current_rubric().answer_schema()


def judged(document: dict[str, Any]) -> set[int]:
    prompt = judge_prompt(current_rubric(), document, CONFUSED)
    body = message_body(prompt.user, system=prompt.system, output_config=json_format(SCHEMA))
    verdicts = read_verdicts(write_answer(body, 1, None), current_rubric())
    return {verdict.score for verdict in verdicts.values()}


def a_good_one() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(write_answer(conversation_body(), 7, None))
    return document


def repeated(turns: list[dict[str, Any]]) -> None:
    turns[-1]["content"] = turns[1]["content"]


def cut(turns: list[dict[str, Any]]) -> None:
    turns.pop()


def escaped(turns: list[dict[str, Any]]) -> None:
    turns[1]["content"] = turns[1]["content"].replace(" ", "\\n", 1)


def reversed_arc(turns: list[dict[str, Any]]) -> None:
    turns[0]["emotional_context"]["primary_emotion"] = "clarity"


def filler(turns: list[dict[str, Any]]) -> None:
    turns[1]["content"] = "It depends. Everyone is different."


def test_the_schema_is_one_that_structured_outputs_take() -> None:
    check_schema(SCHEMA)


def test_a_good_conversation_gets_the_best_score_and_always_the_same() -> None:
    assert judged(a_good_one()) == judged(a_good_one()) == {5}


@pytest.mark.parametrize("damage", [repeated, cut, escaped, reversed_arc, filler])
def test_every_defect_costs_a_point(damage: Callable[[list[dict[str, Any]]], None]) -> None:
    damaged = copy.deepcopy(a_good_one())
    damage(damaged["turns"])
    assert judged(damaged) == {4}


def test_without_a_conversation_to_judge_everything_is_at_its_worst() -> None:
    body = message_body("Judge this.", output_config=json_format(SCHEMA))
    answer = json.loads(write_answer(body, 1, None))
    assert {verdict["score"] for verdict in answer.values()} == {1}
