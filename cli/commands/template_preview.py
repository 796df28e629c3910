"""templates preview: a template as Claude would get it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client import Document
from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.private_files import read_json_object
from cli.render import record
from cli.text import number, plain

if TYPE_CHECKING:
    from rich.console import Console


def add_preview(app: typer.Typer) -> None:
    """Add the command to those of the templates."""
    command(app, "preview")(preview_template)


def preview_template(
    run: Invocation,
    template: Annotated[
        str | None,
        typer.Argument(metavar="[TEMPLATE]", help="Id or name; by default the one for the arc."),
    ] = None,
    *,
    persona: Annotated[str, typer.Option(help="Key or id.")],
    arc: Annotated[str, typer.Option(help="Key or id.")],
    topic: Annotated[str, typer.Option(help="Key or id.")],
    tier: Annotated[
        Literal["template", "scenario", "edge_case"] | None,
        typer.Option(help="By default that of the arc."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="JSON file of a draft, as `templates create` takes it; is not stored."),
    ] = None,
) -> ExitCode:
    """Show a template with its placeholders filled in, and those that have no value marked.

    Exits 1 if a placeholder has no value or the prompt is too long, for which a batch is refused.
    """
    body: dict[str, Any] = {
        "persona_id": persona,
        "emotional_arc_id": arc,
        "training_topic_id": topic,
    }
    body |= {"tier": tier} if tier else {}
    body |= {"template_id": template} if template else {}
    if file:
        if template:
            raise UsageError("Give a stored template or --file, not both.")
        body["template_text"] = _draft(file)
    answer = run.client.post("/api/templates/preview", body)
    run.answer(answer, lambda console: _show(console, answer))
    usable = not answer["unresolved"] and answer["length"] <= answer["max_length"]
    return ExitCode.OK if usable else ExitCode.JOB_NOT_SUCCESSFUL


def _draft(file: Path) -> str:
    text = read_json_object(file).get("template_text")
    if not isinstance(text, str):
        raise UsageError(f"{file} has no text under template_text.")
    return text


def _show(console: "Console", answer: Document) -> None:
    from rich.rule import Rule
    from rich.text import Text

    template = answer["template"]
    fields = {
        "template": template["template_name"] if template else "a draft",
        "tier": answer["tier"],
        "characters": f"{number(answer['length'])} of at most {number(answer['max_length'])}",
        "without a value": ", ".join(map(plain, answer["unresolved"])) or None,
    }
    console.print(record(fields))
    console.print(Rule("System prompt"))
    console.print(Text(plain(answer["system_prompt"])))
    console.print(Rule("Prompt"))
    prompt = Text(plain(answer["prompt"]))
    for name in answer["unresolved"]:
        prompt.highlight_words([f"{{{{{name}}}}}"], style="bold red")
    console.print(prompt)
