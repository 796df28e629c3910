"""personas, arcs, topics, templates: list, show, example, create, edit...; compatibility."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.client import Document, segment
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.listing import Limit, Page, answer_list
from cli.private_files import read_json_object
from cli.render import record
from cli.scaffolding import Kind, example_record, find_record

compatibility_app = typer.Typer()

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key or id.")]
RecordFile = Annotated[Path, typer.Option("--file", help="JSON file with the record's fields.")]

Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field; the value is JSON, or else taken as text. Repeatable.",
    ),
]
ChangesFile = Annotated[
    Path | None, typer.Option("--file", help="JSON file with the fields to change.")
]


@dataclass(frozen=True, kw_only=True)
class ScaffoldingPage(Page):
    """Which records of a list are asked for: all there are, in most systems."""

    limit: Limit = 100


def kind_app(kind: Kind) -> typer.Typer:
    """Make the commands of one kind of record."""
    app = typer.Typer(help=f"The {kind.noun}s: list, show, example, create, edit, deactivate.")
    _add_reading(app, kind)
    _add_writing(app, kind)
    return app


def _add_reading(app: typer.Typer, kind: Kind) -> None:
    @command(app, "list")
    def list_records(
        run: Invocation,
        *,
        active: Annotated[
            Literal["true", "false", "all"], typer.Option(help="Only (in)active ones, or all.")
        ] = "true",
        domain: Annotated[
            str | None, typer.Option(help="Key of a domain; by default financial_planning.")
        ] = None,
        page: ScaffoldingPage,
    ) -> None:
        """List them."""
        answer_list(
            run,
            kind.path,
            kind.list_key,
            kind.columns,
            page,
            filters={"is_active": active, "domain": domain},
        )

    @command(app, "show")
    def show_record(run: Invocation, key: Key) -> None:
        """Show one in full."""
        answer_record(run, kind, find_record(run.client, kind, key))


def _add_writing(app: typer.Typer, kind: Kind) -> None:
    @command(app, "example")
    def print_example(run: Invocation) -> None:
        """Print a record as `create` takes it, to be changed: one there is under another key."""
        run.print_document(example_record(run.client, kind))

    @command(app, "create")
    def create_record(run: Invocation, file: RecordFile) -> None:
        """Create one from a JSON file."""
        created = run.client.post(kind.path, read_json_object(file))
        answer_record(run, kind, created[kind.record_key])

    @command(app, "edit")
    def edit_record(
        run: Invocation,
        *,
        key: Key,
        changes: Assignments = None,
        file: ChangesFile = None,
    ) -> None:
        """Change some fields; the others stay."""
        fields = {**(read_json_object(file) if file else {}), **assignments(changes or [])}
        if not fields:
            raise UsageError("Nothing to change: give --set FIELD=VALUE or --file.")
        edited = run.client.patch(f"{kind.path}/{segment(key)}", fields)
        answer_record(run, kind, edited[kind.record_key])

    @command(app, "deactivate")
    def deactivate_record(run: Invocation, key: Key) -> None:
        """Deactivate one; `edit KEY --set is_active=true` activates it again."""
        answer = run.client.delete(f"{kind.path}/{segment(key)}")
        run.answer(answer, lambda console: console.print(f"{kind.noun} {key} is out of use."))


@command(compatibility_app, "compatibility")
def check_compatibility(
    run: Invocation,
    *,
    persona: Annotated[str, typer.Option(help="Key or id.")],
    arc: Annotated[str, typer.Option(help="Key or id.")],
    topic: Annotated[str, typer.Option(help="Key or id.")],
) -> None:
    """Show how well a persona, an arc and a topic fit, and the template a batch would choose.

    Everything that does not exist is named at once.
    """
    body = {"persona_id": persona, "emotional_arc_id": arc, "training_topic_id": topic}
    answer = run.client.post("/api/scaffolding/check-compatibility", body)
    template = answer["template"]
    fields = {
        "fits": answer["is_compatible"],
        "confidence": answer["confidence"],
        "template": template["template_name"] if template else "none",
        "because": "\n".join(answer["warnings"]) or None,
        "instead": "\n".join(answer["suggestions"]) or None,
    }
    run.answer(answer, lambda console: console.print(record(fields)))


def answer_record(run: Invocation, kind: Kind, fields: Document) -> None:
    """Answer with one record."""
    document = {"success": True, kind.record_key: fields}
    run.answer(document, lambda console: console.print(record(fields)))


def assignments(changes: list[str]) -> dict[str, Any]:
    """Read FIELD=VALUE options; a value is JSON, or else text. Raises UsageError."""
    return dict(_assignment(change) for change in changes)


def _assignment(change: str) -> tuple[str, Any]:
    name, equals, value = change.partition("=")
    if not name or not equals:
        raise UsageError(f"--set {change!r} is not of the form FIELD=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
