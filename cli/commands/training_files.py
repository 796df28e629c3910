"""training-files create, add, list, show, download."""

from typing import Annotated, Any, Literal

import typer

from cli.client import Document, segment
from cli.download_options import Destination, Force, answer_saved
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record, table
from cli.text import format_time

app = typer.Typer(
    help="Training files: conversations exported for training, in immutable versions."
)

FILES = "/api/training-files"

FileId = Annotated[str, typer.Argument(metavar="ID", help="The training file.")]
ConversationIds = Annotated[
    list[str], typer.Argument(metavar="CONVERSATION...", help="Up to 80, in this order.")
]
Eligible = Annotated[
    Literal["enriched", "approved"],
    typer.Option(
        "--eligibility",
        help="The status that is needed; a severe flag needs an approval anyway.",
    ),
]
AllowDuplicates = Annotated[
    bool,
    typer.Option("--allow-duplicates", help="Also add conversations that duplicate another one."),
]

COLUMNS = (
    Column("Id", "id", whole=True, stack="record"),
    Column("Name", "name", stack="record"),
    Column("Changed", "last_updated_at", format_time, stack="record"),
    Column("Version", "version", stack="state"),
    Column("Conversations", "conversation_count", stack="counts"),
    Column("Pairs", "total_training_pairs", stack="counts"),
    Column("Trainable", "trainable_pairs", stack="counts"),
    Column("Quality", "avg_quality_score", stack="state"),
)
VERSION_COLUMNS = (
    Column("Version", "version"),
    Column("Created", "created_at", format_time),
    Column("Added", "added_conversations"),
    Column("Conversations", "conversation_count"),
    Column("Pairs", "total_training_pairs"),
    Column("Trainable", "trainable_pairs"),
    Column("JSON bytes", "json_file_size"),
    Column("JSONL bytes", "jsonl_file_size"),
)


@command(app, "create")
def create_training_file(
    run: Invocation,
    *,
    conversations: ConversationIds,
    name: Annotated[str, typer.Option(help="The name of the file, unique among yours.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    eligibility: Eligible = "enriched",
    allow_duplicates: AllowDuplicates = False,
) -> None:
    """Create a training file from conversations."""
    body = {
        "name": name,
        "description": description,
        **_choice(conversations, eligibility, allow_duplicates=allow_duplicates),
    }
    _answer_changed(run, run.client.post(FILES, body))


@command(app, "add")
def add_conversations(
    run: Invocation,
    *,
    file_id: FileId,
    conversations: ConversationIds,
    eligibility: Eligible = "enriched",
    allow_duplicates: AllowDuplicates = False,
) -> None:
    """Add conversations in a new version of the file; older versions do not change."""
    body = _choice(conversations, eligibility, allow_duplicates=allow_duplicates)
    _answer_changed(run, run.client.post(f"{FILES}/{segment(file_id)}/add-conversations", body))


@command(app, "list")
def list_training_files(
    run: Invocation,
    *,
    page: Page,
) -> None:
    """List the training files, newest first."""
    answer_list(run, FILES, "files", COLUMNS, page)


@command(app, "show")
def show_training_file(run: Invocation, file_id: FileId) -> None:
    """Show a training file with all its versions."""
    answer = run.client.get(f"{FILES}/{segment(file_id)}")

    def show(console: Any) -> None:
        console.print(record(answer["trainingFile"]))
        console.print(table(answer["versions"], VERSION_COLUMNS, width=console.width))

    run.answer(answer, show)


@command(app, "download")
def download_training_file(
    run: Invocation,
    *,
    file_id: FileId,
    file_format: Annotated[
        Literal["jsonl", "json"], typer.Option("--format", help="training.jsonl or training.json.")
    ] = "jsonl",
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="By default the newest one.")
    ] = None,
    output: Destination = None,
    force: Force = False,
) -> None:
    """Save the JSON or JSONL file of a version; the file appears only when it is complete."""
    path = f"{FILES}/{segment(file_id)}/download"
    link = run.client.get(path, {"format": file_format, "version": version})
    answer_saved(run, link, output, force=force, version=link["version"], sha256=link["sha256"])


def _choice(conversations: list[str], eligibility: str, *, allow_duplicates: bool) -> Document:
    return {
        "conversation_ids": conversations,
        "eligibility": eligibility,
        "allow_duplicates": allow_duplicates,
    }


def _answer_changed(run: Invocation, answer: Document) -> None:
    run.answer(
        answer,
        lambda console: console.print(f"{answer['trainingFile']['id']}: {answer['message']}"),
    )
