"""Field types that the scaffolding records and the domain packs share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from brightrun.core.fields import LINES, ReadableText

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=100)]
Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=150),
    # Bars and angle brackets delimit labels in the <scaffolding> block of a prompt.
    ReadableText(without="|<>"),
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), LINES
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), LINES
]
TemplateText = Annotated[str, StringConstraints(min_length=1, max_length=20_000), LINES]
Sentences = Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=20)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1, max_length=20)]
