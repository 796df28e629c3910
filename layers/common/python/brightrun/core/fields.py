"""Field types that stored records and request schemas share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic_core import core_schema

from brightrun.core.text import BIDIRECTIONAL, CONTROLS, INVISIBLE

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

Tier = Literal["template", "scenario", "edge_case"]
"""The kind of template that a conversation is made with, which its arc decides."""
DEFAULT_DOMAIN = "financial_planning"
"""v1's domain: that of a request or a stored record which names none."""
Flag = Annotated[bool, Field(strict=True)]
"""A boolean; strings and numbers such as "yes" or 1 are refused."""


@dataclass(frozen=True)
class ReadableText:
    """Restricts a text to what people can read, after the constraints that stand before it.

    Refuses controls and characters that change the direction of the text, and a text that shows
    nothing. `without` is a regex class of characters that are refused, too.
    """

    one_line: bool = True
    may_be_blank: bool = False
    without: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """Check the text after the inner constraints."""
        return core_schema.no_info_after_validator_function(self._require, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the check as a pattern."""
        shown = rf"[^\s{_escaped(INVISIBLE)}{self.without}]"
        allowed = f"[^{self._refused}]*"
        pattern = f"^{allowed}$" if self.may_be_blank else f"^{allowed}{shown}{allowed}$"
        return {**handler(schema), "pattern": pattern}

    def _require(self, text: str) -> str:
        # Compiled at the first use: a cold start has no time for it.
        if found := re.search(f"[{self._refused}]", text):
            where = f"at character {found.start() + 1}"
            raise ValueError(f"It holds {_named(found[0])} {where}; remove it.")
        if not self.may_be_blank and not re.search(rf"[^\s{INVISIBLE}]", text):
            raise ValueError("It shows nothing; write at least one visible character.")
        return text

    @property
    def _refused(self) -> str:
        lines = r"\t\n\r\u2028\u2029" if self.one_line else ""
        return f"{CONTROLS}{lines}{BIDIRECTIONAL}{self.without}"


def _named(character: str) -> str:
    """A character as a message names it: itself if it can be seen, else its code point."""
    return f"'{character}'" if character.isprintable() else f"the character U+{ord(character):04X}"


def _escaped(characters: str) -> str:
    """A regex class with escapes that every engine knows, for the OpenAPI document."""
    return "".join(
        one if one.isascii() and one.isprintable() or ord(one) > 0xFFFF else f"\\u{ord(one):04x}"
        for one in characters
    )


ONE_LINE = ReadableText()
"""A name: one line that shows something."""
LINES = ReadableText(one_line=False)
"""A text of one or several lines that shows something."""
REMARK = ReadableText(one_line=False, may_be_blank=True)
"""A text that may be left empty."""
