"""Small sound records of every format, and a shorthand to validate lines."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from brightrun.validation.report import Problem
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import Options, validate

Record = dict[str, Any]


def said(*texts: str, system: str | None = None) -> list[dict[str, str]]:
    """Messages that alternate from the user."""
    first = [] if system is None else [{"role": "system", "content": system}]
    roles = ("user", "assistant")
    return first + [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


def messages(*texts: str, **more: Any) -> Record:
    """A `messages` record; without texts one exchange of its own."""
    return {"messages": said(*(texts or ("How are you?", "Very well, thank you."))), **more}


def conversation(*texts: str, name: str = "conv_001") -> Record:
    """A conversation line."""
    return {"conversation_id": name, "turns": messages(*texts)["messages"]}


def sharegpt(*texts: str) -> Record:
    """A ShareGPT record."""
    speakers = {"user": "human", "assistant": "gpt"}
    turns = [
        {"from": speakers[turn["role"]], "value": turn["content"]}
        for turn in messages(*texts)["messages"]
    ]
    return {"conversations": turns}


def alpaca(instruction: str = "Say hello.", output: str = "Hello!") -> Record:
    """An Alpaca record."""
    return {"instruction": instruction, "input": "", "output": output}


def pair(user: str = "Where do I start?", target: str | None = "With one number.") -> Record:
    """A v4 pair with all its fields and two earlier turns."""
    return {
        "id": "fp_conversation_turn4_85d3e584",
        "conversation_id": "85d3e584-e2da-4e0f-8a19-93649ebe7eb6",
        "turn_number": 4,
        "conversation_metadata": {"client_persona": "A persona", "expected_outcome": "Relief"},
        "system_prompt": "Be kind.",
        "conversation_history": [
            {"turn": 1, "role": "user", "content": "Hi", "emotional_state": {"intensity": 0.5}},
            {"turn": 2, "role": "assistant", "content": "Hello"},
        ],
        "current_user_input": user,
        "emotional_context": {"detected_emotions": {"primary": "hope", "intensity": 0.4}},
        "target_response": target,
        "training_metadata": {"demonstrates_skills": ["empathy"], "quality_score": 3},
    }


def without(record: Record, *fields: str) -> Record:
    """A copy of a record that lacks some fields."""
    return {key: value for key, value in record.items() if key not in fields}


def question(asked: str = "Say hello.", answer: str = "Hello!") -> Record:
    """A record of prompt and completion."""
    return {"prompt": asked, "completion": answer}


SOUND = {
    "messages": messages(),
    "conversations": conversation(),
    "sharegpt": sharegpt(),
    "alpaca": alpaca(),
    "v4-jsonl": pair(),
    "prompt-completion": question(),
}


def lines(*records: Record | bytes, end: bytes = b"\n") -> bytes:
    """Records as compact JSON Lines; bytes stand as they are."""
    written = [
        record
        if isinstance(record, bytes)
        else json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        for record in records
    ]
    return b"".join(line + end for line in written)


def checked(*records: Record | bytes, **options: Any) -> ValidationResult:
    """Validate records given as dictionaries or raw lines."""
    return validate(BytesIO(lines(*records)), Options(**options))


def found(problems: list[Problem]) -> list[tuple[int, str, str]]:
    """Where and what, without the prose."""
    return [(problem.line, problem.pointer, problem.code) for problem in problems]
