"""Token estimates of prompts and answers.

The estimate is one token for four characters, the common rule of thumb for English, times the
model's tokenizer factor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
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
    return tokens_of(sum(len(block.text) for block in prompt_blocks(body)), model)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a prompt, and its `cache_control` if it has one."""

    text: str
    cache_control: dict[str, Any] | None = None


def prompt_blocks(body: dict[str, Any]) -> Iterator[Block]:
    """The parts of a prompt in the order in which the model sees them, and the cache keeps them."""
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema:
        yield Block(json.dumps(schema))
    for tool in body.get("tools", []):
        yield Block(json.dumps(tool), tool.get("cache_control"))
    yield from _blocks(body.get("system", []))
    for message in body["messages"]:
        yield from _blocks(message["content"])


def _blocks(content: Any) -> Iterator[Block]:
    if isinstance(content, str):
        yield Block(content)
        return
    for block in content:
        text = block["text"] if block["type"] == "text" else json.dumps(block)
        yield Block(text, block.get("cache_control"))


def plain_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as they are without marks: how a text is divided into blocks changes no answer."""
    return [{**message, "content": _plain(message["content"])} for message in messages]


def _plain(content: Any) -> Any:
    if isinstance(content, str) or any(block["type"] != "text" for block in content):
        return content
    return "".join(block["text"] for block in content)


def prompt_text(messages: list[dict[str, Any]]) -> str:
    """All text of the user messages, which is what an answer is written from."""
    return "\n".join(
        "".join(block.text for block in _blocks(message["content"]))
        for message in messages
        if message["role"] == "user"
    )
