"""Token estimates of prompts and answers.

The estimate is one token for four characters, the common rule of thumb for English, times the
model's tokenizer factor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from local.claude_simulator.models import Model

CHARACTERS_PER_TOKEN = 4


def tokens_of(characters: int, model: Model) -> int:
    """The estimated tokens of `characters` characters for `model`."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN * model.tokenizer_factor)


def characters_of(tokens: int, model: Model) -> int:
    """How many characters fit into `tokens` tokens of `model`."""
    return int(tokens * CHARACTERS_PER_TOKEN / model.tokenizer_factor)


def prompt_tokens(body: dict[str, Any], model: Model) -> int:
    """The estimated input tokens of a request: output schema, tools, system and messages."""
    return tokens_of(sum(map(len, _prompt_parts(body))), model)


def _prompt_parts(body: dict[str, Any]) -> Iterator[str]:
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema:
        yield json.dumps(schema)
    yield from map(json.dumps, body.get("tools", []))
    yield from _texts(body.get("system", []))
    for message in body["messages"]:
        yield from _texts(message["content"])


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for block in content:
        yield block["text"] if block["type"] == "text" else json.dumps(block)


def prompt_text(messages: list[dict[str, Any]]) -> str:
    """All text of the user messages, which is what an answer is written from."""
    return "\n".join(
        text
        for message in messages
        if message["role"] == "user"
        for text in _texts(message["content"])
    )
