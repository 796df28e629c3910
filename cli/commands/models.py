"""model list, show, download."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.client import segment
from cli.download_options import Force
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.model_download import download_model
from cli.render import Column, record, table
from cli.text import format_time
from cli.verdict_display import outcome, verdict_fields

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="The delivered adapters.")

MODELS = "/api/models"
ModelId = Annotated[str, typer.Argument(metavar="ID", help="The model.")]

COLUMNS = (
    Column("Id", "id", whole=True, stack="record"),
    Column("Name", "name", stack="record"),
    Column("Base model", "base_model", stack="model"),
    Column("Created", "created_at", format_time, stack="model"),
    Column("Score", "quality_score", stack="verdict"),
    Column("Against its base", "verdict", outcome, stack="verdict"),
)
SHOWN_APART = frozenset({"files", "verdict", "held_out", "quality_score"})
FILE_COLUMNS = (
    Column("File", "name", whole=True),
    Column("Bytes", "size"),
    Column("SHA-256", "sha256"),
)
SAVED_COLUMNS = (
    Column("Saved", "path", whole=True),
    Column("Bytes", "bytes"),
    Column("SHA-256", "sha256"),
)


@command(app, "list")
def list_models(
    run: Invocation,
    *,
    page: Page,
) -> None:
    """List the delivered models, newest first."""
    answer_list(run, MODELS, "models", COLUMNS, page)


@command(app, "show")
def show_model(run: Invocation, model_id: ModelId) -> None:
    """Show a model: how good it is, what it was made from, its files."""
    answer = run.client.get(f"{MODELS}/{segment(model_id)}")
    model = answer["data"]

    def show(console: "Console") -> None:
        verdict = verdict_fields(model.get("verdict"), model.get("held_out"))
        rest = {name: value for name, value in model.items() if name not in SHOWN_APART}
        console.print(record({**verdict, **rest}))
        console.print(table(model["files"], FILE_COLUMNS, width=console.width))

    run.answer(answer, show)


@command(app, "download")
def download(
    run: Invocation,
    *,
    model_id: ModelId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for its files.")],
    files: Annotated[
        list[str] | None, typer.Option("--file", help="Only this one; may be repeated.")
    ] = None,
    force: Force = False,
) -> None:
    """Save an adapter's files and verify the hash of each."""
    saved = download_model(run.client, model_id, output, files, overwrites=force)
    document = {"success": True, "model_id": model_id, "folder": str(output), "files": saved}
    run.answer(
        document, lambda console: console.print(table(saved, SAVED_COLUMNS, width=console.width))
    )
