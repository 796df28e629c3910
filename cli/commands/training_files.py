"""training-files create, add, watch, list, show, download."""

from typing import Annotated, Any, Literal

import typer

from cli.client import segment
from cli.commands.conversations import Filters
from cli.download_options import Destination, Force, answer_saved
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record, table
from cli.text import format_time
from cli.training_file_builds import FILES, Choice, answer_watched, build, describe

app = typer.Typer(
    help="Training files: conversations exported for training, in immutable versions."
)

FileId = Annotated[str, typer.Argument(metavar="ID", help="The training file.")]
ConversationIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CONVERSATION]...", help="In the order that the file has."),
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
    conversations: ConversationIds = None,
    name: Annotated[str, typer.Option(help="The name of the file, unique among yours.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    choice: Choice,
    filters: Filters,
) -> int:
    """Create a training file from the named conversations, or from all that the filters find."""
    selection = choice.body(run.client, conversations, filters)
    return build(run, FILES, {"name": name, "description": description}, selection, choice)


@command(app, "add")
def add_conversations(
    run: Invocation,
    *,
    file_id: FileId,
    conversations: ConversationIds = None,
    choice: Choice,
    filters: Filters,
) -> int:
    """Add conversations in a new version of the file; older versions do not change."""
    selection = choice.body(run.client, conversations, filters)
    path = f"{FILES}/{segment(file_id)}/add-conversations"
    return build(run, path, {}, selection, choice)


@command(app, "watch")
def watch_training_file(run: Invocation, file_id: FileId) -> int:
    """Follow the build of a file's next version until it has ended."""
    return answer_watched(run, file_id)


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
    """Show a training file with all its versions, and how far a build is."""
    answer = run.client.get(f"{FILES}/{segment(file_id)}")
    fields = {name: value for name, value in answer["trainingFile"].items() if name != "build"}

    def show(console: Any) -> None:
        console.print(record(fields))
        if answer.get("build"):
            console.print(describe(answer))
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
