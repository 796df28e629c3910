"""The enriched file of a conversation: a training pair for every turn.

Fields and their order are v1's. ADRs 12 to 17 explain the differences: ids, system prompt, skills,
criteria, valence, and a history without the current turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brightrun.conversations.emotions import valence
from brightrun.conversations.enrichment.model import Scaffold
from brightrun.conversations.quality.model import Quality, whole_stars
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
)
from brightrun.scaffolding.prompts import client_summary

DOCUMENT_VERSION = "1.0.0"
_DEFAULT_OUTCOME = "Provide emotionally intelligent support"
_DEFAULT_OBJECTIVE = "emotionally_intelligent_response"
_PRIMARY_CONFIDENCE, _SECONDARY_CONFIDENCE = 0.8, 0.7
_SKILL_WORDS = 6
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9]+")


def enriched_document(
    document: Mapping[str, Any],
    scaffold: Scaffold,
    quality: Quality,
    *,
    conversation_id: str,
    created_at: str,
) -> dict[str, Any]:
    """Create the enriched file of a conversation without blockers."""
    turns: Sequence[Mapping[str, Any]] = document["turns"]
    consultant = scaffold.consultant
    pairs = _PairBuilder(document, scaffold, quality, conversation_id)
    template_name = scaffold.template.template_name if scaffold.template else "unknown"
    enriched: dict[str, Any] = {
        "dataset_metadata": {
            "dataset_name": f"{scaffold.subject.pack.file_prefix}_{conversation_id}",
            "version": DOCUMENT_VERSION,
            "created_date": created_at[:10],
            "vertical": scaffold.subject.pack.vertical,
            "consultant_persona": f"{consultant.name} - {consultant.business}",
            "target_use": "LoRA fine-tuning for emotionally intelligent chatbot",
            "conversation_source": "synthetic_platform_generated",
            "quality_tier": quality.tier,
            "total_conversations": 1,
            "total_turns": len(turns),
            "notes": f"Generated via template: {template_name}",
        },
        "consultant_profile": consultant_profile(consultant),
        "training_pairs": [pairs.build(index) for index in range(len(turns))],
    }
    if "input_parameters" in document:
        enriched["input_parameters"] = document["input_parameters"]
    return enriched


def consultant_profile(consultant: Consultant) -> dict[str, Any]:
    """The consultant, as it appears in files."""
    fields = ("name", "business", "expertise", "years_experience", "core_philosophy")
    return consultant.model_dump(mode="json", include={*fields, "communication_style"})


def skills_of(arc: EmotionalArc | None) -> list[str]:
    """The arc's response techniques as keys of their first words; v1's constants without an arc.

    "Name a strength that shows in the story" becomes `name_a_strength_that_shows_in`.
    """
    if arc is None:
        return ["empathy", "active_listening"]
    keys = (_NOT_IN_A_KEY.sub("_", one.casefold()).strip("_") for one in arc.response_techniques)
    return list(dict.fromkeys("_".join(key.split("_")[:_SKILL_WORDS]) for key in keys))


class _PairBuilder:
    """Builds the training pairs of one conversation."""

    def __init__(
        self,
        document: Mapping[str, Any],
        scaffold: Scaffold,
        quality: Quality,
        conversation_id: str,
    ) -> None:
        self._turns: Sequence[Mapping[str, Any]] = document["turns"]
        self._scaffold = scaffold
        self._quality = quality
        self._conversation_id = conversation_id
        self._metadata = _metadata(document["conversation_metadata"], scaffold)
        self._skills = skills_of(scaffold.arc)

    def build(self, index: int) -> dict[str, Any]:
        """Build the pair of one turn: history, user input and answer."""
        turn = self._turns[index]
        answers = turn["role"] == "assistant"
        input_index = self._input_index(index)
        number = index + 1
        return {
            "id": f"{self._scaffold.category}_{self._conversation_id}_turn{number}",
            "conversation_id": self._conversation_id,
            "turn_number": number,
            "conversation_metadata": dict(self._metadata),
            "system_prompt": self._scaffold.system_prompt,
            "conversation_history": [
                _history_entry(earlier, self._turns[earlier - 1])
                for earlier in range(1, (index if input_index is None else input_index) + 1)
            ],
            "current_user_input": ""
            if input_index is None
            else self._turns[input_index]["content"],
            "emotional_context": {
                "detected_emotions": _detected_emotions(turn["emotional_context"])
            },
            "target_response": turn["content"] if answers else None,
            "training_metadata": self._training_metadata(number),
        }

    def _input_index(self, index: int) -> int | None:
        """The index of the current user input: this turn, or the last user turn before it."""
        users = (i for i in range(index, -1, -1) if self._turns[i]["role"] == "user")
        return next(users, None)

    def _training_metadata(self, number: int) -> dict[str, Any]:
        topic, arc = self._scaffold.topic, self._scaffold.arc
        level = topic.complexity_level if topic else "intermediate"
        return {
            "difficulty_level": f"{level}_conversation_turn_{number}",
            "key_learning_objective": topic.topic_key if topic else _DEFAULT_OBJECTIVE,
            "demonstrates_skills": list(self._skills),
            "conversation_turn": number,
            "emotional_progression_target": (
                f"{arc.starting_emotion}(0.8) \u2192 {arc.ending_emotion}(0.8)" if arc else ""
            ),
            "quality_score": whole_stars(self._quality.score),
            "quality_criteria": dict(self._quality.criteria),
            "human_reviewed": False,
            "reviewer_notes": None,
            "use_as_seed_example": False,
            "generate_variations_count": 0,
        }


def _metadata(source: Mapping[str, Any], scaffold: Scaffold) -> dict[str, str]:
    persona, arc, topic = scaffold.persona, scaffold.arc, scaffold.topic
    client = source["client_persona"]
    background = f"Client profile: {client}"
    outcome = source.get("expected_outcome")
    if persona:
        client = f"{persona.name} - {persona.archetype}"
        background = f"{client_summary(persona)}; {persona.background}"
    metadata: dict[str, str] = {
        "client_persona": client,
        "client_background": background,
        "session_context": source["session_context"],
        "conversation_phase": source["conversation_phase"],
        "expected_outcome": outcome if isinstance(outcome, str) and outcome else _DEFAULT_OUTCOME,
    }
    if persona:
        metadata["persona_archetype"] = persona.persona_key
    if arc:
        metadata |= {"emotional_arc": arc.name, "emotional_arc_key": arc.arc_key}
    if topic:
        metadata |= {"training_topic": topic.name, "training_topic_key": topic.topic_key}
    return metadata


def _history_entry(number: int, turn: Mapping[str, Any]) -> dict[str, Any]:
    context = turn["emotional_context"]
    state = {"primary": context["primary_emotion"]}
    if context.get("secondary_emotion"):
        state["secondary"] = context["secondary_emotion"]
    return {
        "turn": number,
        "role": turn["role"],
        "content": turn["content"],
        "emotional_state": {**state, "intensity": context["intensity"]},
    }


def _detected_emotions(context: Mapping[str, Any]) -> dict[str, Any]:
    emotions: dict[str, Any] = {
        "primary": context["primary_emotion"],
        "primary_confidence": _PRIMARY_CONFIDENCE,
    }
    if context.get("secondary_emotion"):
        emotions["secondary"] = context["secondary_emotion"]
        emotions["secondary_confidence"] = _SECONDARY_CONFIDENCE
    emotions["intensity"] = context["intensity"]
    emotions["valence"] = valence(context["primary_emotion"])
    return emotions
