"""What the template routes take and answer."""

from __future__ import annotations

from typing import Self

from brightrun.api.shapes import Answer, Identifier, Part, RequestModel
from brightrun.domain.prompt_assembly import PLACEHOLDERS
from brightrun.domain.scaffolding import PromptTemplate, PromptTemplateContent, Record, Tier
from brightrun.domain.template_selection import RankedTemplate


class CombinationRequest(RequestModel):
    """Ids or keys of what a conversation would be made of."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier


class SelectTemplateRequest(RequestModel):
    """What a template is looked for: the arc's key and, if known, the rest."""

    emotional_arc_type: Identifier
    tier: Tier | None = None
    persona_type: Identifier | None = None
    topic_key: Identifier | None = None


class TemplateView(PromptTemplateContent, Record):
    """A template with the placeholders that its text uses."""

    variables: tuple[str, ...]

    @classmethod
    def of(cls, template: PromptTemplate) -> Self:
        """Show a stored template."""
        return cls(**template.model_dump(), variables=template.variables)


class TemplateAnswer(Answer):
    """One template, and every placeholder that a template may use."""

    template: TemplateView
    available_variables: tuple[str, ...] = tuple(PLACEHOLDERS)

    @classmethod
    def of(cls, template: PromptTemplate) -> Self:
        """Show a stored template."""
        return cls(template=TemplateView.of(template))


class TemplateList(Answer):
    """Templates."""

    templates: tuple[TemplateView, ...]
    count: int


class TemplateScore(Part):
    """A template and how well it fits, 0 to 1."""

    template: TemplateView
    score: float


class RankedTemplateList(Answer):
    """Templates of an arc, best first."""

    templates: tuple[TemplateScore, ...]

    @classmethod
    def of(cls, ranked: list[RankedTemplate]) -> Self:
        """Show a ranking."""
        return cls(
            templates=tuple(
                TemplateScore(template=TemplateView.of(one.template), score=one.score)
                for one in ranked
            )
        )


class ResolvedTemplate(Answer):
    """What Claude would be sent; `length` counts the prompt's characters."""

    prompt: str
    system_prompt: str
    length: int
