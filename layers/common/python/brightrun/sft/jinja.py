"""Chat templates rendered as transformers renders them, in a sandbox, without transformers.

Equality with transformers' own rendering is held by tests/training/test_offline_tokenizer.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from brightrun.sft.errors import ModelError
from brightrun.sft.spans import Render


def renderer(template: str, variables: Mapping[str, Any], date: str) -> Render:
    """What renders messages by a chat template; `variables` are what it may refer to by name.

    Templates are third-party code: they run in jinja2's sandbox and see plain values only. `date`,
    as 2026-11-28, is what those that write the date take for today; its time is midnight. Raises
    ModelError for a template with a syntax error.
    """
    compiled = _compiled(template, datetime.fromisoformat(date))

    def render(messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool) -> str:
        try:
            text: str = compiled.render(
                messages=[dict(message) for message in messages],
                tools=None,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **variables,
            )
        except Exception as error:  # noqa: BLE001 - a template is a program and may fail with any
            raise ValueError(str(error)) from error
        return text

    return render


def _compiled(template: str, now: datetime) -> Any:
    from jinja2 import TemplateSyntaxError
    from jinja2.exceptions import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_generation_tag(), loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = now.strftime
    environment.globals["namespace"] = _namespace()
    environment.globals["dict"] = _new_dict
    try:
        return environment.from_string(template)
    except TemplateSyntaxError as error:
        raise ModelError(
            f"the chat template has a syntax error in line {error.lineno}: {error.message}."
        ) from error


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as chat templates expect it: jinja2's own filter would escape HTML."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _new_dict(*pairs: Any, **named: Any) -> dict[Any, Any]:
    """What templates make dictionaries with: not the type itself, whose attributes lead further."""
    return dict(*pairs, **named)


def _namespace() -> type[Any]:
    """jinja2's namespace without names that begin with an underscore, as in transformers."""
    from jinja2.exceptions import SecurityError
    from jinja2.utils import Namespace

    class PlainNamespace(Namespace):
        def __init__(*args: Any, **named: Any) -> None:
            self, *pairs = args
            for name in (names := dict(*pairs, **named)):
                refuse(name)
            Namespace.__init__(self, names)

        def __setitem__(self, name: str, value: Any) -> None:
            refuse(name)
            super().__setitem__(name, value)

    def refuse(name: str) -> None:
        if name.startswith("_"):
            raise SecurityError(f"a namespace takes no name with an underscore first: {name!r}")

    return PlainNamespace


def _generation_tag() -> type[Any]:
    """The extension for `{% generation %}`, with which some templates mark answers: here just text.

    Made on demand, so that importing this module does not import jinja2.
    """
    from jinja2 import nodes
    from jinja2.ext import Extension

    class GenerationTag(Extension):
        tags = {"generation"}

        def parse(self, parser: Any) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            # A block of its own, as in transformers: what is set inside is not seen outside.
            call = self.call_method("_text", [])
            return nodes.CallBlock(call, [], [], body).set_lineno(line)

        def _text(self, caller: Callable[[], str]) -> str:
            return caller()

    return GenerationTag
