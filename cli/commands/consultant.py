"""consultant show, edit, example: the persona of the assistant."""

import json
from typing import Annotated, Any

import typer

from cli.client import Document
from cli.commands.scaffolding import Assignments, ChangesFile, assignments
from cli.editor import edit_json
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.private_files import read_json_object
from cli.render import record
from cli.scaffolding import SYSTEM_FIELDS

app = typer.Typer(help="The consultant, who is the assistant of every conversation: show, edit.")

PATH = "/api/scaffolding/consultant"
Domain = Annotated[str | None, typer.Option(help="Key of a domain; by default financial_planning.")]
UNWRITTEN = SYSTEM_FIELDS | {"is_active", "consultant_key"}
"""What the server keeps of the consultant; the rest is what people write."""


@command(app, "show")
def show_consultant(run: Invocation, *, domain: Domain = None) -> None:
    """Show the consultant of a domain in full."""
    _answer(run, run.client.get(PATH, {"domain": domain}))


@command(app, "example")
def print_example(run: Invocation, *, domain: Domain = None) -> None:
    """Print the present consultant as `edit --file` takes it."""
    run.print_document(_content(run.client.get(PATH, {"domain": domain})["consultant"]))


@command(app, "edit")
def edit_consultant(
    run: Invocation,
    *,
    changes: Assignments = None,
    file: ChangesFile = None,
    domain: Domain = None,
) -> None:
    """Change some fields; without --set and --file, in the editor that EDITOR names.

    `--set core_philosophy.principle_1=TEXT` reaches inside a field. If somebody else changed the
    consultant meanwhile, nothing is written. Batches that were created keep the former one.
    """
    consultant = run.client.get(PATH, {"domain": domain})["consultant"]
    before = _content(consultant)
    if changes or file:
        after = _changed(before, read_json_object(file) if file else {}, assignments(changes or []))
    elif run.as_json:
        raise UsageError("--json cannot open an editor; give --set FIELD=VALUE or --file.")
    else:
        after = edit_json(before)
    if after == before:
        raise UsageError("Nothing to change: every field is as it was.")
    _answer(run, run.client.put(PATH, after, if_match=f'"v{consultant["version"]}"'))


def _content(consultant: Document) -> Document:
    return {name: value for name, value in consultant.items() if name not in UNWRITTEN}


def _answer(run: Invocation, answer: Document) -> None:
    run.answer(answer, lambda console: console.print(record(answer["consultant"])))


def _changed(content: Document, fields: Document, paths: dict[str, Any]) -> Document:
    """Apply whole fields, then the values at dotted paths, to a copy."""
    changed: Document = json.loads(json.dumps({**content, **fields}))
    for path, value in paths.items():
        *outer, name = path.split(".")
        target = changed
        for part in outer:
            if not isinstance(target.get(part), dict):
                raise UsageError(f"--set {path}: there is no field {part!r} with fields inside.")
            target = target[part]
        target[name] = value
    return changed
