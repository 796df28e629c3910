"""The scaffolding of a job as it was when the job was made, so that later edits change nothing."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from brightrun.domain.batch import BatchItem
from brightrun.domain.compatibility import Choices, check_compatibility
from brightrun.domain.prompt_assembly import Ingredients, Prompt, assemble_prompt
from brightrun.domain.scaffolding import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
)


class BatchPlan(BaseModel):
    """Every record the items of a job refer to, by id; one object in S3, read once a worker."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    model: str
    consultant: Consultant
    personas: dict[str, Persona]
    emotional_arcs: dict[str, EmotionalArc]
    training_topics: dict[str, TrainingTopic]
    templates: dict[str, PromptTemplate]

    def ingredients(self, item: BatchItem) -> Ingredients:
        """The records of one item."""
        return Ingredients(
            persona=self.personas[item.persona_id],
            arc=self.emotional_arcs[item.emotional_arc_id],
            topic=self.training_topics[item.training_topic_id],
            consultant=self.consultant,
            tier=item.tier,  # type: ignore[arg-type]
        )

    def prompt(self, item: BatchItem) -> Prompt:
        """The prompt of one item; raises what `assemble_prompt` raises."""
        return assemble_prompt(self.templates[item.template_id], self.ingredients(item))

    def snapshot(self, item: BatchItem, generated_at: str) -> dict[str, Any]:
        """What is kept of the scaffolding on the conversation's row (part 2.1 of the original)."""
        used = self.ingredients(item)
        persona, arc, topic = used.persona, used.arc, used.topic
        template = self.templates[item.template_id]
        return {
            "persona": {
                "id": persona.id,
                "name": persona.name,
                "persona_key": persona.persona_key,
                "archetype": persona.archetype,
                "emotional_baseline": persona.emotional_baseline,
            },
            "emotional_arc": {
                "id": arc.id,
                "name": arc.name,
                "arc_key": arc.arc_key,
                "starting_emotion": arc.starting_emotion,
                "ending_emotion": arc.ending_emotion,
            },
            "training_topic": {
                "id": topic.id,
                "name": topic.name,
                "topic_key": topic.topic_key,
                "complexity_level": topic.complexity_level,
            },
            "template": {
                "id": template.id,
                "name": template.template_name,
                "version": template.version,
                "category": template.category,
            },
            "generation_timestamp": generated_at,
            "scaffolding_version": "1.0",
            "compatibility_score": check_compatibility(persona, arc, topic, Choices()).confidence,
            "system_prompt": self.consultant.system_prompt,
        }

    def input_parameters(self, item: BatchItem) -> dict[str, str]:
        """The nine strings that conversation.json says it was made from."""
        used = self.ingredients(item)
        return {
            "persona_id": used.persona.id,
            "persona_key": used.persona.persona_key,
            "persona_name": used.persona.name,
            "emotional_arc_id": used.arc.id,
            "emotional_arc_key": used.arc.arc_key,
            "emotional_arc_name": used.arc.name,
            "training_topic_id": used.topic.id,
            "training_topic_key": used.topic.topic_key,
            "training_topic_name": used.topic.name,
        }

    def client_persona(self, item: BatchItem) -> str:
        """The client's name as every file has it."""
        persona = self.personas[item.persona_id]
        return f"{persona.name} - {persona.archetype}"
