"""Which `messages` the Messages API accepts."""

from __future__ import annotations

from typing import Any

from local.claude_simulator.api_errors import invalid
from local.claude_simulator.models import Model

_ROLES = ("user", "assistant", "system")
_MAX_MESSAGES = 100_000
_MAX_CACHE_MARKS = 4
_CACHE_TTLS = ("5m", "1h")


def check_messages(messages: Any, model: Model) -> None:
    """Refuse, with ApiError 400, malformed messages and prefill on models without it."""
    if not isinstance(messages, list):
        raise invalid("messages: Input should be a valid list")
    if not messages:
        raise invalid("messages: at least one message is required")
    if len(messages) > _MAX_MESSAGES:
        raise invalid(f"messages: at most {_MAX_MESSAGES} messages are allowed")
    for index, message in enumerate(messages):
        _check_message(message, f"messages.{index}")
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant" and not model.accepts_prefill:
        raise invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict):
        raise invalid(f"{where}: Input should be a valid dictionary")
    for name in ("role", "content"):
        if name not in message:
            raise invalid(f"{where}.{name}: Field required")
    for name in message:
        if name not in ("role", "content"):
            raise invalid(f"{where}.{name}: Extra inputs are not permitted")
    if message["role"] not in _ROLES:
        raise invalid(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    _check_content(message["content"], message["role"], where)


def _check_content(content: Any, role: str, where: str) -> None:
    if isinstance(content, str):
        if not content.strip():
            raise invalid(f"{where}: {role} messages must have non-empty content")
        return
    if not isinstance(content, list) or not content:
        raise invalid(f"{where}.content: Input should be a valid string or a non-empty list")
    for index, block in enumerate(content):
        _check_block(block, role, f"{where}.content.{index}")


def _check_block(block: Any, role: str, where: str) -> None:
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise invalid(f"{where}.type: Field required")
    if block["type"] == "document" and role == "assistant":
        raise invalid(f"{where}: document blocks are not permitted in assistant messages")
    if block["type"] != "text":
        return
    text = block.get("text")
    if not isinstance(text, str):
        raise invalid(f"{where}.text: Field required")
    if not text.strip():
        raise invalid("messages: text content blocks must contain non-whitespace text")
    if block.get("citations") and role == "user":
        raise invalid(f"{where}.citations: citations are not permitted on user text blocks")


def check_system(system: Any) -> None:
    """Refuse, with ApiError 400, a system prompt that is neither text nor text blocks."""
    if isinstance(system, str):
        return
    if not isinstance(system, list):
        raise invalid("system: Input should be a valid string or list")
    for index, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise invalid(f"system.{index}.type: Input should be 'text'")
        if not isinstance(block.get("text"), str) or not block["text"]:
            raise invalid(f"system.{index}.text: text content blocks must be non-empty")


def check_cache_control(body: dict[str, Any]) -> None:
    """Refuse, with ApiError 400, marks for the prompt cache that the API does not take."""
    marks = _cache_marks(body)
    if len(marks) > _MAX_CACHE_MARKS:
        raise invalid(
            f"A maximum of {_MAX_CACHE_MARKS} blocks with cache_control may be provided. "
            f"Found {len(marks)}."
        )
    for where, mark in marks:
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            raise invalid(f"{where}.cache_control.type: Input should be 'ephemeral'")
        for name in mark.keys() - {"type", "ttl"}:
            raise invalid(f"{where}.cache_control.{name}: Extra inputs are not permitted")
        if mark.get("ttl", "5m") not in _CACHE_TTLS:
            raise invalid(f"{where}.cache_control.ttl: Input should be '5m' or '1h'")
    ttls = [mark.get("ttl", "5m") for _, mark in marks]
    if ttls != sorted(ttls):  # "1h" before "5m"
        raise invalid(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block"
        )


def _cache_marks(body: dict[str, Any]) -> list[tuple[str, Any]]:
    """The marks in the order of the prompt, and where each stands."""
    contents = [("tools", body.get("tools", [])), ("system", body.get("system"))]
    contents += [
        (f"messages.{index}.content", message["content"])
        for index, message in enumerate(body["messages"])
    ]
    return [
        (f"{where}.{index}", block["cache_control"])
        for where, content in contents
        if isinstance(content, list)
        for index, block in enumerate(content)
        if block.get("cache_control") is not None
    ]


def refuse_unsimulated(body: dict[str, Any]) -> None:
    """Refuse, with ApiError 400, what the API offers and this simulator does not.

    Nothing in this project streams an answer, or leaves it to the API where to mark a prompt.
    """
    if body.get("stream"):
        raise invalid("stream: this simulator does not stream answers")
    if body.get("cache_control") is not None:
        raise invalid("cache_control: this simulator caches marked blocks alone")
