"""Which `messages` the Messages API accepts."""

from __future__ import annotations

from typing import Any

from local.claude_simulator.api_errors import invalid
from local.claude_simulator.models import Model

_ROLES = ("user", "assistant", "system")
_MAX_MESSAGES = 100_000


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


def refuse_unsimulated(body: dict[str, Any]) -> None:
    """Refuse, with ApiError 400, what the API offers and this simulator does not.

    Nothing in this project streams an answer or caches a prompt.
    """
    if body.get("stream"):
        raise invalid("stream: this simulator does not stream answers")
    blocks = [body, *body.get("tools", [])]
    for content in [body.get("system"), *(message["content"] for message in body["messages"])]:
        blocks += content if isinstance(content, list) else []
    if any(block.get("cache_control") for block in blocks):
        raise invalid("cache_control: this simulator does not cache prompts")
