"""personas, arcs, topics, templates: list, show, create, edit, deactivate; and compatibility."""

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
from cli.scaffolding import ARCS, PERSONAS, TOPICS, Kind, find_id, find_record

compatibility_app = typer.Typer()

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key or id.")]
RecordFile = Annotated[Path, typer.Option("--file", help="JSON file with the record's fields.")]


@dataclass(frozen=True, kw_only=True)
class ScaffoldingPage(Page):
    """Which records of a list are asked for: all there are, in most systems."""

    limit: Limit = 100


def kind_app(kind: Kind) -> typer.Typer:
    """Make the commands of one kind of record."""
    app = typer.Typer(help=f"The {kind.noun}s: list, show, create, edit, deactivate.")
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
        page: ScaffoldingPage,
    ) -> None:
        """List them."""
        answer_list(
            run,
            kind.path,
            kind.list_key,
            kind.columns,
            page,
            filters={"is_active": active},
        )

    @command(app, "show")
    def show_record(run: Invocation, key: Key) -> None:
        """Show one in full."""
        _answer_record(run, kind, find_record(run.client, kind, key))


def _add_writing(app: typer.Typer, kind: Kind) -> None:
    @command(app, "create")
    def create_record(run: Invocation, file: RecordFile) -> None:
        """Create one from a JSON file."""
        created = run.client.post(kind.path, read_json_object(file))
        _answer_record(run, kind, created[kind.record_key])

    @command(app, "edit")
    def edit_record(
        run: Invocation,
        *,
        key: Key,
        changes: Annotated[
            list[str] | None,
            typer.Option(
                "--set",
                metavar="FIELD=VALUE",
                help="Change a field; the value is JSON, or else taken as text. Repeatable.",
            ),
        ] = None,
        file: Annotated[
            Path | None, typer.Option("--file", help="JSON file with the fields to change.")
        ] = None,
    ) -> None:
        """Change some fields; the others stay."""
        fields = {**(read_json_object(file) if file else {}), **_assignments(changes or [])}
        if not fields:
            raise UsageError("Nothing to change: give --set FIELD=VALUE or --file.")
        edited = run.client.patch(f"{kind.path}/{segment(key)}", fields)
        _answer_record(run, kind, edited[kind.record_key])

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
    """Show how well a persona, an arc and a topic fit together."""
    body = {
        "persona_id": find_id(run.client, PERSONAS, persona),
        "emotional_arc_id": find_id(run.client, ARCS, arc),
        "training_topic_id": find_id(run.client, TOPICS, topic),
    }
    answer = run.client.post("/api/scaffolding/check-compatibility", body)
    fields = {name: value for name, value in answer.items() if name != "success"}
    run.answer(answer, lambda console: console.print(record(fields)))


def _answer_record(run: Invocation, kind: Kind, fields: Document) -> None:
    document = {"success": True, kind.record_key: fields}
    run.answer(document, lambda console: console.print(record(fields)))


def _assignments(changes: list[str]) -> dict[str, Any]:
    return dict(_assignment(change) for change in changes)


def _assignment(change: str) -> tuple[str, Any]:
    name, equals, value = change.partition("=")
    if not name or not equals:
        raise UsageError(f"--set {change!r} is not of the form FIELD=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
