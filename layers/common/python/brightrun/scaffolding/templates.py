"""Parses and renders prompt templates: text with {{name}} placeholders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from brightrun.core.errors import (
    InvalidInputError,
    TemplateSyntaxError,
    TemplateTooLongError,
    UnresolvedPlaceholderError,
)

MAX_RESOLVED_CHARS = 40_000
"""Limit of a rendered prompt: about 13,000 tokens, six times the longest built-in one."""
_KEPT_TEMPLATES = 64
"""Templates that are not parsed again: a batch renders few of them, for each of its items."""
_BRACES = re.compile(r"\{\{|\}\}")
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*")


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    is_placeholder: bool


def placeholders(template_text: str, template_name: str) -> tuple[str, ...]:
    """Return the placeholders in the order of their first use; raises TemplateSyntaxError."""
    names = (part.text for part in _parts(template_text, template_name) if part.is_placeholder)
    return tuple(dict.fromkeys(names))


def require_known(template_text: str, template_name: str, known: Collection[str]) -> None:
    """Check that all placeholders of a template are known.

    Raises InvalidInputError listing the unknown and the known ones, and TemplateSyntaxError for
    unbalanced braces.
    """
    unknown = [name for name in placeholders(template_text, template_name) if name not in known]
    if unknown:
        named = ", ".join(f"{{{{{name}}}}}" for name in unknown)
        raise InvalidInputError(
            f"The template '{template_name}' uses placeholders that do not exist: {named}. "
            f"Those there are: {', '.join(sorted(known))}.",
            details=[
                {"field": "template_text", "message": f"unknown placeholder {name}"}
                for name in unknown
            ],
        )


def render(template_text: str, template_name: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders by their values.

    Values are inserted literally: braces in a value are not placeholders. Raises
    UnresolvedPlaceholderError listing every placeholder without a value or with a blank one,
    TemplateSyntaxError, and TemplateTooLongError over MAX_RESOLVED_CHARS.
    """
    resolved, missing = fill(template_text, template_name, values)
    if missing:
        raise UnresolvedPlaceholderError(template_name, missing)
    if len(resolved) > MAX_RESOLVED_CHARS:
        raise TemplateTooLongError(
            f"The template '{template_name}' resolves to {len(resolved):,} characters; "
            f"{MAX_RESOLVED_CHARS:,} is the most. Shorten the template or its records.",
            details={"length": len(resolved), "limit": MAX_RESOLVED_CHARS},
        )
    return resolved


def fill(
    template_text: str, template_name: str, values: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Replace the placeholders that have a value; return the text, and the names of the others.

    Those stay in the text as `{{name}}`. Raises TemplateSyntaxError.
    """
    missing: dict[str, None] = {}
    filled = []
    for part in _parts(template_text, template_name):
        if not part.is_placeholder:
            filled.append(part.text)
        elif values.get(part.text, "").strip():
            filled.append(values[part.text])
        else:
            missing[part.text] = None
            filled.append(f"{{{{{part.text}}}}}")
    return "".join(filled), list(missing)


@lru_cache(_KEPT_TEMPLATES)
def _parts(text: str, template_name: str) -> tuple[_Part, ...]:
    """Split a template into text and placeholders; raises TemplateSyntaxError."""
    return tuple(_split(text, template_name))


def _split(text: str, template_name: str) -> Iterator[_Part]:
    position = 0
    while opening := _BRACES.search(text, position):
        if opening.group() == "}}":
            raise _syntax_error(template_name, text, opening.start(), "'}}' without '{{' before it")
        closing = _BRACES.search(text, opening.end())
        if closing is None or closing.group() == "{{":
            raise _syntax_error(template_name, text, opening.start(), "'{{' without its '}}'")
        name = _NAME.fullmatch(text, opening.end(), closing.start())
        if name is None:
            raise _syntax_error(
                template_name, text, opening.start(), "the braces must hold one name and no more"
            )
        yield _Part(text[position : opening.start()], is_placeholder=False)
        yield _Part(name.group(1), is_placeholder=True)
        position = closing.end()
    yield _Part(text[position:], is_placeholder=False)


def _syntax_error(template_name: str, text: str, offset: int, fault: str) -> TemplateSyntaxError:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return TemplateSyntaxError(
        f"The template '{template_name}' is not well formed at line {line}, column {column}: "
        f"{fault}. A placeholder is written {{{{name}}}}.",
        details={"template": template_name, "line": line, "column": column},
    )
