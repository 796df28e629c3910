"""Token estimates, and the prompt as the blocks that tokens and caching are counted on.

The estimate is one token for four characters of a block, the common rule of thumb for English,
times the model's tokenizer factor. `count_tokens` and `usage` share it, so a count taken before a
call equals the input of that call.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.claude_simulator.models import Model

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """One piece of a prompt in the order the cache sees it; `cache_ttl` marks a breakpoint."""

    text: str
    cache_ttl: str | None = None


def tokens_of(characters: int, model: Model) -> int:
    """The estimated tokens of `characters` characters for `model`."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN * model.tokenizer_factor)


def characters_of(tokens: int, model: Model) -> int:
    """How many characters fit into `tokens` tokens of `model`."""
    return int(tokens * CHARACTERS_PER_TOKEN / model.tokenizer_factor)


def prompt_blocks(body: dict[str, Any]) -> list[PromptBlock]:
    """The prompt of a request: output schema, tools, system, messages.

    A top-level `cache_control` marks the last block, as the API documents.
    """
    blocks = list(_blocks(body))
    if body.get("cache_control"):
        blocks[-1] = PromptBlock(blocks[-1].text, _ttl(body))
    return blocks


def _blocks(body: dict[str, Any]) -> Iterator[PromptBlock]:
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema:
        yield PromptBlock(json.dumps(schema))
    for tool in body.get("tools", []):
        yield PromptBlock(json.dumps(tool), _ttl(tool))
    yield from _content_blocks(body.get("system", []))
    for message in body["messages"]:
        yield from _content_blocks(message["content"])


def _content_blocks(content: Any) -> Iterator[PromptBlock]:
    if isinstance(content, str):
        yield PromptBlock(content)
        return
    for block in content:
        text = block["text"] if block["type"] == "text" else json.dumps(block)
        yield PromptBlock(text, _ttl(block))


def _ttl(marked: dict[str, Any]) -> str | None:
    control = marked.get("cache_control")
    return control.get("ttl", "5m") if control else None


def prompt_text(messages: list[dict[str, Any]]) -> str:
    """All text of the user messages, the part that faults and the writer look into."""
    return "\n".join(
        block.text
        for message in messages
        if message["role"] == "user"
        for block in _content_blocks(message["content"])
    )
