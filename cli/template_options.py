"""What a chat template gets beside the messages; the same for a receipt and for a training job."""

import json
from typing import Annotated, Any

import typer

from cli.client import Document
from cli.errors import UsageError

TemplateVariables = Annotated[
    str | None,
    typer.Option(
        "--template-variables",
        metavar="JSON",
        help="Passed to the chat template, such as '{\"enable_thinking\": false}'.",
    ),
]
TemplateDate = Annotated[
    str | None,
    typer.Option(
        "--template-date", metavar="DAY", help="The day that chat templates take for today."
    ),
]


def template_settings(variables: str | None, day: str | None) -> Document:
    """The template fields of a request that were given; the others keep the defaults.

    Raises UsageError for variables that no template can be given and for a day that is none.
    """
    from brightrun.sft.settings import date_complaint

    given: Document = {}
    if variables is not None:
        given["template_variables"] = _parse(variables)
    if day is not None:
        if complaint := date_complaint(day):
            raise UsageError(_as_option(complaint))
        given["template_date"] = day
    return given


def _parse(text: str) -> dict[str, Any]:
    from brightrun.sft.settings import variables_complaint

    example = "such as '{\"enable_thinking\": false}'"
    try:
        variables = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"--template-variables: {text[:80]!r} is not JSON.",
            hint=f"Write an object in quotes, {example}; the names inside it are quoted, too.",
        ) from error
    if not isinstance(variables, dict):
        raise UsageError(f"--template-variables must be a JSON object, {example}.")
    if complaint := variables_complaint(variables):
        raise UsageError(_as_option(complaint))
    return variables


def _as_option(complaint: str) -> str:
    """A sentence about a field of the API, named as its option."""
    field, said = complaint.split(":", 1)
    return f"--{field.replace('_', '-')}:{said}"
