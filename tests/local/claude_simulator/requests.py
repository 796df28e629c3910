"""Requests and prompts that the tests of the simulator share."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

SONNET = "claude-sonnet-5-5"


@dataclass(frozen=True)
class Arc:
    key: str
    start: str
    start_range: tuple[float, float]
    end: str
    end_range: tuple[float, float]
    exchanges: tuple[int, int]


ARCS = (
    Arc("confusion_to_clarity", "confusion", (0.7, 0.85), "clarity", (0.7, 0.8), (3, 5)),
    Arc("shame_to_acceptance", "shame", (0.7, 0.9), "acceptance", (0.55, 0.7), (4, 5)),
    Arc(
        "couple_conflict_to_alignment", "frustration", (0.65, 0.8), "clarity", (0.75, 0.85), (3, 4)
    ),
    Arc("fear_to_confidence", "fear", (0.75, 0.9), "confidence", (0.65, 0.8), (4, 6)),
    Arc("overwhelm_to_empowerment", "overwhelm", (0.7, 0.85), "empowerment", (0.7, 0.85), (3, 5)),
    Arc("guilt_to_permission", "guilt", (0.65, 0.8), "permission", (0.6, 0.75), (3, 5)),
    Arc("frustration_to_relief", "frustration", (0.6, 0.75), "relief", (0.65, 0.8), (2, 4)),
    Arc("crisis_to_referral", "despair", (0.8, 1.0), "referred", (0.3, 0.5), (4, 6)),
    Arc("hostility_to_boundary", "anger", (0.7, 1.0), "acceptance", (0.3, 0.6), (4, 8)),
    Arc("overwhelm_to_triage", "panic", (0.8, 1.0), "focused", (0.4, 0.6), (5, 8)),
)

MARCUS = "Marcus Chen | The Overwhelmed Avoider | overwhelmed_avoider"
JENNIFER = "Jennifer Martinez | The Anxious Planner | anxious_planner"
LOANS = (
    "Student Loan Repayment Strategy | student_loan_payoff",
    "interest rates; priority setting",
)
ESTATE = (
    "Essential Estate Planning | estate_planning_basics",
    "wills; trusts; beneficiaries; probate",
)
UNKNOWN_TOPIC = ("Dividend Investing | dividend_investing", "dividend growth; income needs; yield")


def arc(key: str) -> Arc:
    return next(candidate for candidate in ARCS if candidate.key == key)


def scaffolded_prompt(
    of: Arc = ARCS[0], persona: str = MARCUS, topic: tuple[str, str] = ESTATE
) -> str:
    """A prompt with the block that our prompts carry."""
    return f"""Write the conversation that is described here.
<scaffolding>
persona: {persona}
arc: {of.key.replace("_", " ").title()} | {of.key}
from: {of.start} {of.start_range[0]}-{of.start_range[1]}
to: {of.end} {of.end_range[0]}-{of.end_range[1]}
exchanges: {of.exchanges[0]}-{of.exchanges[1]}
topic: {topic[0]}
key_concepts: {topic[1]}
</scaffolding>
"""


def closed_object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object schema as structured outputs want it."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


TEXT = {"type": "string"}
CONVERSATION_SCHEMA = closed_object(
    {
        "conversation_metadata": closed_object(
            {
                "client_persona": TEXT,
                "session_context": TEXT,
                "conversation_phase": TEXT,
                "expected_outcome": TEXT,
            },
            optional=("expected_outcome",),
        ),
        "turns": {
            "type": "array",
            "items": closed_object(
                {
                    "turn_number": {"type": "integer"},
                    "role": {"type": "string", "enum": ["user", "assistant"]},
                    "content": TEXT,
                    "emotional_context": closed_object(
                        {
                            "primary_emotion": TEXT,
                            "secondary_emotion": TEXT,
                            "intensity": {"type": "number"},
                        },
                        optional=("secondary_emotion",),
                    ),
                }
            ),
        },
    }
)


def json_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": schema}}


def message_body(prompt: str = "Hello", /, **fields: Any) -> dict[str, Any]:
    """A valid body of `POST /v1/messages`, with `fields` added or replaced."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": SONNET, "max_tokens": 1024, "messages": messages, **fields}


def conversation_body(prompt: str | None = None, **fields: Any) -> dict[str, Any]:
    """A valid body that asks for a conversation."""
    return message_body(
        prompt or scaffolded_prompt(),
        **{"max_tokens": 24576, "output_config": json_format(CONVERSATION_SCHEMA), **fields},
    )


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - sample data, no secret
