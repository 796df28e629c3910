"""Composes the Message object: content blocks, stop reason and usage."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from local.claude_simulator.api_errors import invalid
from local.claude_simulator.author import write_answer
from local.claude_simulator.faults import Fault, Malformed
from local.claude_simulator.http_types import Response, json_response
from local.claude_simulator.models import Model
from local.claude_simulator.prompt_cache import NOTHING_CACHED, CachedTokens
from local.claude_simulator.tokens import characters_of, prompt_tokens, tokens_of

# Thinking is reported as a share of the visible answer by effort: an assumption that makes the
# numbers plausible, since the real share depends on the task.
_THINKING_SHARE = {"low": 0.05, "medium": 0.15, "high": 0.3, "xhigh": 0.5, "max": 0.8}
_REFUSAL = "The simulator was scripted to refuse this request."


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    fills_limit: bool = False


def compose(
    body: dict[str, Any],
    model: Model,
    *,
    seed: int,
    fault: Fault | None = None,
    cached: CachedTokens = NOTHING_CACHED,
    message_id: str | None = None,
    service_tier: str = "standard",
) -> dict[str, Any]:
    """The Message that answers a valid request, with a scripted content fault if there is one.

    `cached` is what the prompt reads from the cache and writes to it.

    ApiError 400 for a prompt beyond the context window.
    """
    prompt = prompt_tokens(body, model)
    if prompt > model.max_input_tokens:
        raise invalid(f"prompt is too long: the maximum is {model.max_input_tokens} tokens")
    refusal = fault.refusal if fault else None
    written = _Text("", "refusal") if refusal else _written(body, model, seed, fault)
    thinking = 0 if refusal else _thinking_tokens(body, model, written.text)
    visible = tokens_of(len(written.text), model)
    output = body["max_tokens"] if written.fills_limit else max(1, visible + thinking)
    return {
        "id": message_id or f"msg_sim_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model.id,
        "content": _content(body, written.text, thinking),
        "stop_reason": written.stop_reason,
        "stop_sequence": written.stop_sequence,
        "stop_details": _stop_details(refusal),
        "usage": _usage(prompt, cached, output, thinking, service_tier),
    }


def malformed(kind: Malformed, message: dict[str, Any]) -> Response:
    """A response with status 200 whose body is not the message, as a proxy may send it."""
    if kind == "html":
        return Response(200, b"<html><body>OK</body></html>", content_type="text/html")
    if kind == "null":
        return json_response(None)
    if kind == "no_usage":
        return json_response({name: value for name, value in message.items() if name != "usage"})
    whole = json_response(message)
    return Response(200, whole.body[: len(whole.body) // 2])


def _written(body: dict[str, Any], model: Model, seed: int, fault: Fault | None) -> _Text:
    text = write_answer(body, seed, fault)
    if fault and fault.truncate:
        return _Text(text[: int(len(text) * fault.truncate)], "max_tokens", fills_limit=True)
    if fault and fault.stop_reason:
        return _Text(text, fault.stop_reason)
    for sequence in body.get("stop_sequences", []):
        if sequence in text:
            return _Text(text.partition(sequence)[0], "stop_sequence", sequence)
    room = characters_of(body["max_tokens"], model)
    if len(text) > room - _thinking_characters(body, model, text):
        kept = max(0, room - _thinking_characters(body, model, text))
        return _Text(text[:kept], "max_tokens", fills_limit=True)
    return _Text(text)


def _thinking_characters(body: dict[str, Any], model: Model, text: str) -> int:
    return characters_of(_thinking_tokens(body, model, text), model)


def _thinking_tokens(body: dict[str, Any], model: Model, text: str) -> int:
    """Thinking never takes more than half of `max_tokens`, so that some answer is left."""
    kind = (body.get("thinking") or {}).get("type")
    if kind is None and not model.thinks_by_default or kind in ("disabled", "between_tools"):
        return 0
    effort = (body.get("output_config") or {}).get("effort") or model.default_effort
    share = int(tokens_of(len(text), model) * _THINKING_SHARE[effort])
    return min(share, int(body["max_tokens"]) // 2)


def _content(body: dict[str, Any], text: str, thinking: int) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if thinking:
        # Current models leave the thinking text out unless a summary is asked for.
        summarized = (body.get("thinking") or {}).get("display") == "summarized"
        summary = "Planned the answer along the request." if summarized else ""
        content.append({"type": "thinking", "thinking": summary, "signature": "c2ltdWxhdGVk"})
    if text:
        content.append({"type": "text", "text": text, "citations": None})
    return content


def _stop_details(refusal: str | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return {"type": "refusal", "category": refusal, "explanation": _REFUSAL}


def _usage(
    prompt: int, cached: CachedTokens, output: int, thinking: int, tier: str
) -> dict[str, Any]:
    return {
        "input_tokens": prompt - cached.read - cached.written,
        "cache_creation_input_tokens": cached.written,
        "cache_read_input_tokens": cached.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cached.written_5m,
            "ephemeral_1h_input_tokens": cached.written_1h,
        },
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking},
        "service_tier": tier,
        "inference_geo": "global",
        "server_tool_use": None,
    }
