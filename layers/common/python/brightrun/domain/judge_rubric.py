"""What a judge is asked: the versioned rubric, the schema of the answer, and who may judge."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict

from brightrun.domain.claude_models import ClaudeModel, claude_model
from brightrun.errors import UnusableModelError

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
    text = (resources.files("brightrun") / "reference_data/judge_rubric.json").read_text("utf-8")
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
