"""Writes the text of an answer: a conversation, a judgement, a schema example or a sentence."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from local.claude_simulator.api_errors import ApiError
from local.claude_simulator.conversation.scaffolding import (
    Scaffolding,
    read_scaffolding,
    read_variation,
)
from local.claude_simulator.conversation.writer import write_conversation
from local.claude_simulator.defects import apply_defect, extra_exchanges
from local.claude_simulator.faults import Defect, Fault
from local.claude_simulator.judge import wants_judgement, write_judgement
from local.claude_simulator.schema_example import conform, example, violate
from local.claude_simulator.schema_rules import resolve
from local.claude_simulator.tokens import plain_messages, prompt_text

_PLAIN = (
    "This is a simulated answer; it was not written by Claude.",
    "The local simulator wrote this sentence in place of a model.",
    "No model was asked: this text comes from the Claude simulator.",
)


def write_answer(body: dict[str, Any], seed: int, fault: Fault | None) -> str:
    """The text that answers a valid request; the same request and seed give the same text.

    A conversation depends on its scaffolding and variation blocks and the seed alone. ApiError 500
    when a scripted content fault does not fit the request.
    """
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    defect = fault.defect if fault else None
    if schema is None:
        _require(not defect and not (fault and fault.schema_violation), "an output schema")
        return _generator(seed, plain_messages(body["messages"])).choice(_PLAIN)
    if wants_conversation(schema):
        value = _conversation(body, schema, seed, defect)
    else:
        _require(not defect, "a conversation schema")
        value = _other(body, schema, seed)
    if fault and fault.schema_violation:
        value = violate(value, schema)
    return json.dumps(value, ensure_ascii=False)


def _other(body: dict[str, Any], schema: dict[str, Any], seed: int) -> Any:
    if wants_judgement(schema):
        return write_judgement(prompt_text(body["messages"]), schema)
    return example(schema, _generator(seed, [schema, plain_messages(body["messages"])]))


def wants_conversation(schema: dict[str, Any]) -> bool:
    """Whether a schema asks for metadata and turns that have a role and content."""
    properties = resolve(schema, schema).get("properties", {})
    if not {"conversation_metadata", "turns"} <= properties.keys():
        return False
    turns = resolve(properties["turns"], schema)
    turn = resolve(turns.get("items", {}), schema)
    return {"role", "content"} <= set(turn.get("properties", {}))


def _conversation(
    body: dict[str, Any], schema: dict[str, Any], seed: int, defect: Defect | None
) -> Any:
    prompt = prompt_text(body["messages"])
    scaffolding = read_scaffolding(prompt)
    origin: Any = plain_messages(body["messages"])
    if scaffolding is not None:
        origin = repr(scaffolding) + read_variation(prompt)
    scaffolding = scaffolding or Scaffolding()
    rng = _generator(seed, origin)
    extra = extra_exchanges(defect, scaffolding)
    conversation = write_conversation(scaffolding, rng, extra_exchanges=extra)
    if defect:
        apply_defect(conversation, defect)
    return conform(conversation, schema, rng)


def _generator(seed: int, origin: Any) -> random.Random:
    name = json.dumps([seed, origin], sort_keys=True).encode()
    return random.Random(hashlib.sha256(name).digest())  # noqa: S311 - seeded prose, no secret


def _require(fits: bool, need: str) -> None:
    if not fits:
        raise ApiError(500, f"The scripted fault needs a request with {need}.")
