"""A judgement of a conversation by Claude: the rubric, the prompt and the verdicts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from brightrun.claude.model import Completion, Prompt
from brightrun.claude.registry import ClaudeModel, claude_model
from brightrun.conversations.emotions import DeclaredArc
from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import ConversationRefusedError, UnusableModelError

LOWEST, HIGHEST = 1, 5
"""The scale of every criterion; that of the deterministic score, so that both can be compared."""


class Criterion(BaseModel):
    """One question of the rubric."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    question: str


class Rubric(BaseModel):
    """A version of the rubric; a changed text is a new version. Judges in order of preference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    judges: tuple[str, ...]
    instructions: str
    scale: dict[str, str]
    criteria: tuple[Criterion, ...]

    def system_prompt(self) -> str:
        """Everything that is the same for each conversation."""
        scale = [f"{score}: {meaning}" for score, meaning in self.scale.items()]
        questions = [f"{one.key}: {one.question}" for one in self.criteria]
        return "\n".join([self.instructions, "", "Scores:", *scale, "", "Criteria:", *questions])

    def answer_schema(self) -> dict[str, Any]:
        """The JSON schema of an answer, within what structured outputs take.

        The reason comes before the score, so that the score follows from it.
        """
        verdict = _closed(
            {
                "reason": {"type": "string"},
                "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
            }
        )
        return _closed({one.key: verdict for one in self.criteria})


@cache
def current_rubric() -> Rubric:
    """The rubric that is in force."""
    text = (resources.files("brightrun") / "conversations/quality/judge_rubric.json").read_text(
        "utf-8"
    )
    return Rubric.model_validate_json(text)


def choose_judge(wanted: str | None, generators: Collection[str], today: date) -> ClaudeModel:
    """Choose who judges conversations of some models, never one of these models itself.

    `wanted` is the caller's choice; None takes the first of the rubric that is left. Raises
    UnusableModelError for a generator, a retired or unknown model, and when nobody is left.
    """
    if wanted is not None:
        judge = claude_model(wanted, today)
        if judge.id in generators:
            raise UnusableModelError(
                f"The model '{judge.id}' wrote some of these conversations, and no model judges "
                "its own work; name another one, or none."
            )
        return judge
    for name in current_rubric().judges:
        try:
            judge = claude_model(name, today)
        except UnusableModelError:
            continue  # Retired since the rubric was written.
        if judge.id not in generators:
            return judge
    raise UnusableModelError(
        "Every model that judges wrote some of these conversations; judge them in smaller groups."
    )


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(properties),
    }


LONGEST_REASON = 1000
"""Characters kept of a reason; the row holds one for each criterion."""
MOST_CHARACTERS = 600_000
"""Length of a conversation that is judged: about 200,000 tokens, what every judge reads."""


class Verdict(BaseModel):
    """The answer to one criterion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: str = Field(min_length=1)
    score: int = Field(ge=LOWEST, le=HIGHEST)

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("a reason is blank")
        return reason.strip()[:LONGEST_REASON]


@dataclass(frozen=True, slots=True)
class Paid:
    """What a judgement cost and by whom; money in millionths of a dollar."""

    completion: Completion
    cost_micro_usd: int
    judge: str
    job_id: str
    judged_at: str


def judge_prompt(rubric: Rubric, document: Mapping[str, Any], arc: DeclaredArc | None) -> Prompt:
    """Ask about a parsed conversation; raises ConversationRefusedError for one that is too long.

    The conversation stands as JSON without any `<`, so that no turn can end its own quotation.
    """
    turns = [
        {name: turn.get(name) for name in ("turn_number", "role", "content", "emotional_context")}
        for turn in document["turns"]
    ]
    quoted = json.dumps({"turns": turns}, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    if len(quoted) > MOST_CHARACTERS:
        raise ConversationRefusedError(
            "validation_error",
            "too_long_to_judge",
            f"The conversation has {len(quoted)} characters; {MOST_CHARACTERS} can be judged.",
        )
    declared = (
        f"The declared arc: from {arc.starting_emotion} to {arc.ending_emotion}."
        if arc
        else "No arc was declared; judge whether the feelings move believably."
    )
    user = f"{declared}\n\n<conversation>\n{quoted}\n</conversation>\n"
    return Prompt(rubric.system_prompt(), user, f"judge-rubric-{rubric.version}", 1)


def read_verdicts(text: str, rubric: Rubric) -> dict[str, Verdict]:
    """Check an answer against the rubric: its criteria, each once, each with score and reason.

    Raises ConversationRefusedError.
    """
    try:
        answer = json.loads(text)
        if not isinstance(answer, dict):
            raise ValueError("it is no object")
        expected = [one.key for one in rubric.criteria]
        if sorted(answer) != sorted(expected):
            raise ValueError(f"its criteria are not {', '.join(expected)}")
        return {key: Verdict.model_validate(answer[key]) for key in expected}
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise _unreadable(f"{where}: {fault['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error


def judgement(
    verdicts: Mapping[str, Verdict], rubric: Rubric, record: ConversationRecord, paid: Paid
) -> dict[str, Any]:
    """Write down a judgement for the conversation's row; the score is the criteria's mean."""
    mean = sum(verdict.score for verdict in verdicts.values()) / len(verdicts)
    return {
        "rubric_version": rubric.version,
        "model": paid.judge,
        "generator_model": record.model,
        "score": round(mean, 2),
        "criteria": {key: verdict.model_dump() for key, verdict in verdicts.items()},
        "input_tokens": paid.completion.input_tokens,
        "output_tokens": paid.completion.output_tokens,
        "cost_micro_usd": paid.cost_micro_usd,
        "simulated": paid.completion.simulated,
        "judged_at": paid.judged_at,
        "job_id": paid.job_id,
    }


def is_judged(record: ConversationRecord, rubric: Rubric) -> bool:
    """Whether the conversation, as it reads now, has a judgement by this rubric.

    An edit of a turn voids the judgement, so one that is there is of the present text.
    """
    return record.judgement is not None and record.judgement["rubric_version"] == rubric.version


def _unreadable(why: str) -> ConversationRefusedError:
    return ConversationRefusedError(
        "validation_error", "unusable_judgement", f"The judge's answer does not fit: {why}."
    )
