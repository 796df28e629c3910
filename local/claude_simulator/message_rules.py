"""Which requests the Messages API of version 2026-10-21 accepts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local.claude_simulator.api_errors import invalid
from local.claude_simulator.content_rules import (
    check_cache_control,
    check_messages,
    check_system,
    refuse_unsimulated,
)
from local.claude_simulator.models import EFFORTS, Model, callable_model
from local.claude_simulator.schema_rules import check_schema

CURRENT_VERSION = "2026-10-21"
VERSIONS = (CURRENT_VERSION, "2023-06-01")

_MIN_BUDGET = 1_024
_SAMPLING = ("temperature", "top_p", "top_k")
_REQUIRED = ("model", "max_tokens", "messages")
_KNOWN = {
    *_REQUIRED, "cache_control", "container", "diagnostics", "inference_geo", "metadata",
    "output_config", "service_tier", "speed", "stop_sequences", "stream", "system", "thinking",
    "tool_choice", "tools",
}  # fmt: skip


def check_create(body: dict[str, Any], version: str, now: datetime) -> Model:
    """The model of a valid `POST /v1/messages` body; ApiError 400 or 404 for any other."""
    for name in _REQUIRED:
        if name not in body:
            raise invalid(f"{name}: Field required")
    if not isinstance(body["model"], str):
        raise invalid("model: Input should be a valid string")
    model = callable_model(body["model"], now)
    _check_fields(body, version, model)
    _check_end(body, model)
    check_messages(body["messages"], model)
    if "system" in body:
        check_system(body["system"])
    tools = body.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise invalid("tools: Input should be a valid list of objects")
    refuse_unsimulated(body)
    check_cache_control(body)
    config = _object(body, "output_config")
    _check_output(config, model)
    if "thinking" in body:
        _check_thinking(_object(body, "thinking"), body["max_tokens"], config, model)
    _check_tool_choice(_object(body, "tool_choice"), _object(body, "thinking"), model)
    return model


def check_batched(params: Any, version: str, now: datetime) -> Model:
    """The model of one valid batched request, which can neither stream nor write nothing."""
    if not isinstance(params, dict):
        raise invalid("params: Input should be an object")
    if params.get("stream"):
        raise invalid("stream: streaming is not supported in batches")
    model = check_create(params, version, now)
    if params["max_tokens"] == 0:
        raise invalid("max_tokens: 0 is not supported in batches")
    return model


def _check_end(body: dict[str, Any], model: Model) -> None:
    """Check the fields that say where an answer ends."""
    limit = body["max_tokens"]
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise invalid("max_tokens: Input should be an integer of at least 0")
    if limit > model.max_tokens:
        raise invalid(
            f"max_tokens: {limit} > {model.max_tokens}, which is the maximum allowed number of "
            f"output tokens for {model.id}"
        )
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise invalid("stop_sequences: each stop sequence must be a non-empty string")


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(f"{name}: Input should be an object")
    return value


def _check_fields(body: dict[str, Any], version: str, model: Model) -> None:
    for name in body.keys() - _KNOWN:
        if name == "output_format":
            raise invalid("output_format: This field is deprecated. Use 'output_config.format'.")
        if name in _SAMPLING and version != CURRENT_VERSION:
            if model.accepts_sampling:
                continue
            raise invalid(f"`{name}` is deprecated for this model.")
        raise invalid(f"{name}: Extra inputs are not permitted")


def _check_output(config: dict[str, Any], model: Model) -> None:
    effort, output = config.get("effort"), config.get("format")
    if effort is not None and effort not in EFFORTS:
        raise invalid(f"output_config.effort: Input should be one of {', '.join(EFFORTS)}")
    if effort is not None and not model.has_effort:
        raise invalid(f"output_config.effort: {model.id} does not support effort.")
    if output is None:
        return
    if not isinstance(output, dict) or output.get("type") != "json_schema":
        raise invalid("output_config.format.type: Input should be 'json_schema'")
    if not model.structured_outputs:
        raise invalid(f"output_config.format: {model.id} does not support structured outputs.")
    check_schema(output.get("schema"))


def _check_thinking(
    thinking: dict[str, Any], max_tokens: int, config: dict[str, Any], model: Model
) -> None:
    kind = thinking.get("type")
    if kind not in model.thinking_types:
        use = " or ".join(f"'{name}'" for name in sorted(model.thinking_types))
        raise invalid(f"thinking.type: '{kind}' is not supported by {model.id}. Use {use}.")
    if kind == "enabled":
        budget = thinking.get("budget_tokens", 0)
        if not isinstance(budget, int) or not _MIN_BUDGET <= budget < max_tokens:
            raise invalid(
                f"thinking.budget_tokens: must be at least {_MIN_BUDGET} and below max_tokens"
            )
    if kind == "between_tools" and config.get("effort") in ("xhigh", "max"):
        raise invalid("thinking.type: 'between_tools' needs effort 'low', 'medium' or 'high'.")


def _check_tool_choice(choice: dict[str, Any], thinking: dict[str, Any], model: Model) -> None:
    if choice.get("type") not in ("tool", "any"):
        return
    if not model.accepts_forced_tool:
        raise invalid(
            f"tool_choice: forced tool use ('{choice['type']}') is not supported by {model.id}. "
            "Use 'auto' or 'none'."
        )
    if thinking.get("type") == "enabled":
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
