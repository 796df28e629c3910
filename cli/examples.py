"""Small files to begin with: a conversation that `import` takes, and rows of a dataset."""

from typing import Any

from cli.client import Document

_QUESTION = "I have two old retirement accounts and no idea what they cost me. Where do I begin?"
_ANSWER = (
    "It is natural to feel lost there, and one step is enough today. Open the newest statement of "
    "each account and write down one figure: the expense ratio."
)
_THANKS = "That I can do. So I compare the two figures and move to the cheaper one?"
_CLOSING = (
    "Compare them first, yes. Before you move anything, call the provider and ask what a transfer "
    "costs; then you have every figure that this decision needs."
)
_TURNS = (
    ("user", _QUESTION, "confusion", "worry", 0.7),
    ("assistant", _ANSWER, "warmth", "patience", 0.6),
    ("user", _THANKS, "clarity", "relief", 0.7),
    ("assistant", _CLOSING, "confidence", "respect", 0.7),
)


def example_conversation() -> Document:
    """A conversation of two exchanges, by records that every system has."""
    return {
        "conversation_metadata": {
            "client_persona": "Marcus Chen - The Overwhelmed Avoider",
            "session_context": "After two statements came in one week.",
            "conversation_phase": "initial_confusion",
            "expected_outcome": "One clear step.",
        },
        "input_parameters": {
            "persona_key": "overwhelmed_avoider",
            "emotional_arc_key": "confusion_to_clarity",
            "training_topic_key": "roth_ira_conversion",
        },
        "turns": [_turn(number, *turn) for number, turn in enumerate(_TURNS, start=1)],
    }


def example_rows() -> list[Document]:
    """Rows of a dataset in the format `messages`, a line of JSON Lines each."""
    system = {"role": "system", "content": "You are a financial planner who uses plain words."}
    rows = ((_QUESTION, _ANSWER), (_THANKS, _CLOSING))
    return [
        {
            "messages": [
                system,
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
        }
        for question, answer in rows
    ]


def _turn(
    number: int, role: str, content: str, emotion: str, second: str, intensity: float
) -> dict[str, Any]:
    return {
        "turn_number": number,
        "role": role,
        "content": content,
        "emotional_context": {
            "primary_emotion": emotion,
            "secondary_emotion": second,
            "intensity": intensity,
        },
    }
