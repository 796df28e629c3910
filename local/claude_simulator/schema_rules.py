"""Which JSON schemas structured outputs accept."""

from __future__ import annotations

from typing import Any

from local.claude_simulator.api_errors import invalid

# What the vendor's structured-outputs page lists as supported. `pattern` is left out on purpose:
# the API compiles simple expressions, this simulator writes none.
_ANYWHERE = {
    "$schema", "$id", "$defs", "definitions", "$ref", "title", "description", "default",
    "examples", "type", "enum", "const", "anyOf", "allOf",
}  # fmt: skip
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format"},
}
_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_FORMATS = {
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
}  # fmt: skip
_WHERE = "output_config.format.schema"


def resolve(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref` to the definition in `root`; ApiError 400 for an external or unknown one."""
    while "$ref" in schema:
        reference = schema["$ref"]
        for section in ("$defs", "definitions"):
            prefix = f"#/{section}/"
            name = reference.removeprefix(prefix)
            if reference.startswith(prefix) and name in root.get(section, {}):
                schema = root[section][name]
                break
        else:
            raise invalid(f"{_WHERE}: $ref '{reference}' does not name a definition of the schema.")
    return schema


def check_schema(schema: Any) -> None:
    """Refuse, with ApiError 400, what the API cannot compile into a grammar."""
    if not isinstance(schema, dict):
        raise invalid(f"{_WHERE}: Input should be an object")
    _check(schema, schema, "$", frozenset())


def _check(schema: Any, root: dict[str, Any], path: str, seen: frozenset[str]) -> None:
    if not isinstance(schema, dict):
        raise invalid(f"{_WHERE}: {path} must be an object.")
    if "$ref" in schema:
        reference = schema["$ref"]
        if reference in seen:
            raise invalid(f"{_WHERE}: {path}: recursive schemas are not supported.")
        return _check(resolve(schema, root), root, path, seen | {reference})
    kinds = _types(schema, path)
    _check_keywords(schema, kinds, path)
    if "object" in kinds:
        _check_object(schema, root, path, seen)
    if "array" in kinds:
        _check(schema.get("items", {}), root, f"{path}[]", seen)
    for combiner in ("anyOf", "allOf"):
        for index, branch in enumerate(schema.get(combiner, ())):
            _check(branch, root, f"{path}.{combiner}[{index}]", seen)
    return None


def _types(schema: dict[str, Any], path: str) -> list[str]:
    declared = schema.get("type")
    if declared is None:
        if not {"enum", "const", "anyOf", "allOf"} & schema.keys():
            raise invalid(f"{_WHERE}: {path} needs a 'type', 'enum', 'const', 'anyOf' or 'allOf'.")
        return []
    kinds = declared if isinstance(declared, list) else [declared]
    for kind in kinds:
        if kind not in _TYPES:
            raise invalid(f"{_WHERE}: {path}: '{kind}' is not a supported type.")
    return kinds


def _check_keywords(schema: dict[str, Any], kinds: list[str], path: str) -> None:
    allowed = _ANYWHERE.union(*(_BY_TYPE.get(kind, set()) for kind in kinds))
    for keyword in schema:
        if keyword not in allowed:
            kind = kinds[0] if kinds else "any"
            raise invalid(
                f"{_WHERE}: For '{kind}' type, property '{keyword}' is not supported ({path})."
            )
    if schema.get("minItems", 0) not in (0, 1):
        raise invalid(f"{_WHERE}: {path}: 'minItems' values other than 0 or 1 are not supported.")
    if "format" in schema and schema["format"] not in _FORMATS:
        raise invalid(f"{_WHERE}: {path}: format '{schema['format']}' is not supported.")
    if any(isinstance(value, (dict, list)) for value in schema.get("enum", ())):
        raise invalid(f"{_WHERE}: {path}: 'enum' holds complex values, which are not supported.")
    if any("$ref" in branch for branch in schema.get("allOf", ())):
        raise invalid(f"{_WHERE}: {path}: 'allOf' with '$ref' is not supported.")


def _check_object(
    schema: dict[str, Any], root: dict[str, Any], path: str, seen: frozenset[str]
) -> None:
    if schema.get("additionalProperties") is not False:
        raise invalid(
            f"{_WHERE}: For 'object' type, 'additionalProperties' must be explicitly set to "
            f"false ({path})."
        )
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in properties:
            raise invalid(f"{_WHERE}: {path}: required property '{name}' is not declared.")
    for name, child in properties.items():
        _check(child, root, f"{path}.{name}", seen)
