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

from brightrun.claude.model import Prompt, Usage
from brightrun.claude.registry import ClaudeModel, claude_model
from brightrun.conversations.emotions import DeclaredArc
from brightrun.conversations.model import ConversationRecord, parse_json
from brightrun.conversations.quality.model import UNKNOWN_DOMAIN, Domain
from brightrun.conversations.quality.safety import pack_of
from brightrun.core.errors import ConversationRefusedError, UnusableModelError

LOWEST, HIGHEST = 1, 5
"""The scale of every criterion; the same as that of the deterministic score, for comparison."""


class Criterion(BaseModel):
    """One question of the rubric."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    key: str
    question: str


class Rubric(BaseModel):
    """A version of the rubric, whose text never changes; `judges` are ordered by preference."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    version: str
    judges: tuple[str, ...]
    instructions: str
    scale: dict[str, str]
    criteria: tuple[Criterion, ...]

    def system_prompt(self) -> str:
        """The system prompt, which is the same for all conversations."""
        scale = [f"{score}: {meaning}" for score, meaning in self.scale.items()]
        questions = [f"{one.key}: {one.question}" for one in self.criteria]
        return "\n".join([self.instructions, "", "Scores:", *scale, "", "Criteria:", *questions])

    def answer_schema(self) -> dict[str, Any]:
        """The JSON schema of an answer, within the limits of structured outputs.

        The reason comes before the score, so that Claude reasons first.
        """
        verdict = _object_schema(
            {
                "reason": {"type": "string"},
                "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
            }
        )
        return _object_schema({one.key: verdict for one in self.criteria})


@cache
def current_rubric(domain: Domain = UNKNOWN_DOMAIN) -> Rubric:
    """The current version of the rubric, in the words of a domain; its criteria are the same."""
    folder = resources.files("brightrun") / "conversations/quality"
    text = (folder / "judge_rubric.json").read_text("utf-8")
    for name, words in pack_of(domain).judge:
        text = text.replace(f"{{{name}}}", json.dumps(words, ensure_ascii=False)[1:-1])
    return Rubric.model_validate_json(text)


def choose_judge(wanted: str | None, generators: Collection[str], today: date) -> ClaudeModel:
    """Choose the judge of conversations by some models; no model judges its own work.

    `wanted` is the caller's choice; None selects the first usable judge of the rubric. Raises
    UnusableModelError for a generator, a retired or unknown model, and if no judge is usable.
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


def _object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(properties),
    }


LONGEST_REASON = 1000
"""Characters of a reason, of which the row holds one for each criterion; more are cut off."""
MOST_CHARACTERS = 600_000
"""Characters of a conversation: about 200,000 tokens, which fits the context of every judge."""


class Verdict(BaseModel):
    """The answer to one criterion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    reason: str = Field(min_length=1)
    score: int = Field(ge=LOWEST, le=HIGHEST)

    @field_validator("reason")
    @classmethod
    def _strip_and_cut(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("a reason is blank")
        return reason.strip()[:LONGEST_REASON]


@dataclass(frozen=True, slots=True)
class JudgeCall:
    """What a judgement used, by which judge and when."""

    usage: Usage
    judge: str
    job_id: str
    judged_at: str


def judge_prompt(rubric: Rubric, document: Mapping[str, Any], arc: DeclaredArc | None) -> Prompt:
    """Build the prompt for a conversation; raises ConversationRefusedError if it is too long.

    The conversation is JSON in which `<` is escaped, so that no turn can close the quotation.
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
            f"The conversation has {len(quoted):,} characters; {MOST_CHARACTERS:,} can be judged.",
        )
    declared = (
        f"The declared arc: from {arc.starting_emotion} to {arc.ending_emotion}."
        if arc
        else "No arc was declared; judge whether the feelings move believably."
    )
    user = f"{declared}\n\n<conversation>\n{quoted}\n</conversation>\n"
    template = f"judge-rubric-{rubric.version}"
    return Prompt(rubric.system_prompt(), user, template, 1, shared_characters=0)


def read_verdicts(text: str, rubric: Rubric) -> dict[str, Verdict]:
    """Parse an answer, which must have a score and a reason for each criterion of the rubric.

    Raises ConversationRefusedError.
    """
    try:
        answer = parse_json(text)
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
    verdicts: Mapping[str, Verdict], rubric: Rubric, record: ConversationRecord, call: JudgeCall
) -> dict[str, Any]:
    """Create the judgement for the conversation's row; the score is the mean of the criteria."""
    mean = sum(verdict.score for verdict in verdicts.values()) / len(verdicts)
    return {
        "rubric_version": rubric.version,
        "model": call.judge,
        "generator_model": record.model,
        "score": round(mean, 2),
        "criteria": {key: verdict.model_dump() for key, verdict in verdicts.items()},
        "input_tokens": call.usage.input_tokens,
        "output_tokens": call.usage.output_tokens,
        "cost_micro_usd": call.usage.cost_micro_usd,
        "simulated": call.usage.simulated,
        "judged_at": call.judged_at,
        "job_id": call.job_id,
    }


def judged_by(record: ConversationRecord, rubric: Rubric) -> str | None:
    """The job that judged the conversation by this rubric; None if none did.

    An edit removes the judgement, so that an existing one is of the current text.
    """
    if record.judgement is None or record.judgement["rubric_version"] != rubric.version:
        return None
    return str(record.judgement["job_id"])


def _unreadable(why: str) -> ConversationRefusedError:
    return ConversationRefusedError(
        "validation_error", "unusable_judgement", f"The judge's answer does not fit: {why}."
    )
