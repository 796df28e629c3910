"""Deterministic example values of a JSON schema, and values made to fit or to violate one."""

from __future__ import annotations

import random
import re
import uuid
from typing import Any

from local.claude_simulator.schema_rules import resolve

# The SDK moves constraints that the API does not support into the description, as
# "{minItems: 4, maxItems: 12}"; a model may follow them, and this one does.
_HINT = re.compile(
    r"(?:[{,] ?)(minItems|maxItems|minimum|maximum|minLength|maxLength): (-?\d+(?:\.\d+)?)"
)
_WORDS = ("plan", "budget", "worry", "clarity", "step", "future", "calm", "choice")
_FORMATS = {
    "date-time": "2026-11-21T00:00:00Z",
    "date": "2026-11-21",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
Schema = dict[str, Any]


def example(schema: Schema, rng: random.Random, root: Schema | None = None) -> Any:
    """A value that conforms to a checked schema and follows the SDK's hints."""
    root = schema if root is None else root
    schema = resolve(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    for combiner in ("anyOf", "allOf"):
        if combiner in schema:
            return example(schema[combiner][0], rng, root)
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: example(child, rng, root) for name, child in properties.items()}
    hints = {name: float(text) for name, text in _HINT.findall(schema.get("description", ""))}
    if kind == "array":
        count = _count(schema, hints, rng)
        return [example(schema.get("items", {"const": None}), rng, root) for _ in range(count)]
    return _scalar(kind, schema, hints, rng)


def _count(schema: Schema, hints: dict[str, float], rng: random.Random) -> int:
    low = int(hints.get("minItems", float(schema.get("minItems", 1))))
    high = min(low + 2, int(hints.get("maxItems", float(low + 2))))
    return rng.randint(min(low, high), high)


def _scalar(kind: str, schema: Schema, hints: dict[str, float], rng: random.Random) -> Any:
    if kind == "string":
        return _string(schema, hints, rng)
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "null":
        return None
    low = hints.get("minimum", min(0.0, hints.get("maximum", 0.0)))
    high = hints.get("maximum", low + 1)
    return (
        rng.randint(int(low), int(high)) if kind == "integer" else round(rng.uniform(low, high), 3)
    )


def _string(schema: Schema, hints: dict[str, float], rng: random.Random) -> str:
    if schema.get("format") == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if "format" in schema:
        return _FORMATS[schema["format"]]
    least = int(hints.get("minLength", 12))
    text = " ".join(rng.choice(_WORDS) for _ in range(least // 4 + 3))
    return text[: int(hints.get("maxLength", len(text)))]


def conform(value: Any, schema: Schema, rng: random.Random, root: Schema | None = None) -> Any:
    """`value` cut to what `schema` declares; what is required and missing gets an example."""
    root = schema if root is None else root
    schema = _branch(value, resolve(schema, root), root)
    if isinstance(value, list):
        return [conform(item, schema.get("items", {}), rng, root) for item in value]
    if not isinstance(value, dict):
        return value
    required = schema.get("required", [])
    return {
        name: conform(value[name], child, rng, root) if name in value else example(child, rng, root)
        for name, child in schema.get("properties", {}).items()
        if name in value or name in required
    }


def _branch(value: Any, schema: Schema, root: Schema) -> Schema:
    """The branch of a union that is meant for a value like `value`."""
    wanted = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else None
    branches = (resolve(branch, root) for branch in schema.get("anyOf", ()))
    return next((branch for branch in branches if branch.get("type") == wanted), schema)


def violate(value: Any, schema: Schema) -> Any:
    """`value` without a required property of its last object: valid JSON that breaks `schema`.

    A value without required properties becomes null.
    """
    required: list[tuple[dict[str, Any], str]] = []
    _collect_required(value, schema, schema, required)
    if not required:
        return None
    parent, name = required[-1]
    del parent[name]
    return value


def _collect_required(
    value: Any, schema: Schema, root: Schema, found: list[tuple[dict[str, Any], str]]
) -> None:
    schema = _branch(value, resolve(schema, root), root)
    if isinstance(value, list):
        for item in value:
            _collect_required(item, schema.get("items", {}), root, found)
    elif isinstance(value, dict):
        found.extend((value, name) for name in schema.get("required", []) if name in value)
        for name, child in value.items():
            _collect_required(child, schema["properties"][name], root, found)
