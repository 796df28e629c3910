"""dataset example, upload, import, list, show, report, delete."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.client import Document, segment
from cli.dataset_upload import upload_dataset, wait_until_validated
from cli.download_options import Destination, Force, answer_saved
from cli.errors import ExitCode
from cli.examples import example_rows
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record, table
from cli.text import format_time

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Datasets: validated files that models are trained on.")

DATASETS = "/api/datasets"
DatasetId = Annotated[str, typer.Argument(metavar="ID", help="The dataset.")]
Status = Literal["uploading", "validating", "ready", "error"]

COLUMNS = (
    Column("Id", "id", whole=True, stack="record"),
    Column("Name", "name", stack="record"),
    Column("Status", "status", stack="state"),
    Column("Format", "format", stack="state"),
    Column("Created", "created_at", format_time, stack="state"),
    Column("Bytes", "file_size", stack="counts"),
    Column("Trainable", "trainable_pairs", stack="counts"),
    Column("Tokens", "total_tokens", stack="counts"),
)
FIELDS = (
    "id",
    "name",
    "status",
    "format",
    "file_name",
    "file_size",
    "sha256",
    "total_training_pairs",
    "trainable_pairs",
    "total_validation_pairs",
    "total_tokens",
    "tokens_method",
    "avg_turns_per_conversation",
    "simulated",
    "validated_at",
    "error_message",
)
PROBLEM_COLUMNS = (
    Column("Line", "line"),
    Column("Code", "code", whole=True),
    Column("Problem", "message"),
    Column("How to fix it", "hint"),
)


@command(app, "upload")
def upload(
    run: Invocation,
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, up to 500 MB.")],
    name: Annotated[str | None, typer.Option(help="The name; by default the file's.")] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Resume an interrupted upload.")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for the validation.")
    ] = False,
) -> ExitCode:
    """Upload and validate a file, and show the result: exits 0 if ready, 1 if not."""
    dataset = upload_dataset(run, source, name=name, description=description, resume=resume)
    if not no_wait:
        dataset = wait_until_validated(run.client, dataset["id"])
    return _answer_one(run, dataset)


@command(app, "import")
def import_training_file(
    run: Invocation,
    *,
    training_file: Annotated[str, typer.Argument(metavar="TRAINING_FILE")],
    version: Annotated[int | None, typer.Option(min=1, help="By default the newest one.")] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for the validation.")
    ] = False,
) -> ExitCode:
    """Create a dataset from a version of a training file; later versions do not change it."""
    body: Document = {"training_file_id": training_file}
    if version is not None:
        body["version"] = version
    dataset = run.client.post(f"{DATASETS}/import-from-training-file", body)["data"]
    if not no_wait:
        dataset = wait_until_validated(run.client, dataset["id"])
    return _answer_one(run, dataset)


@command(app, "example")
def print_example(run: Invocation) -> None:
    """Print rows as `upload` takes them from a JSON Lines file; needs no session."""
    rows = example_rows()
    run.answer({"rows": rows}, lambda _: typer.echo("\n".join(map(json.dumps, rows))))


@command(app, "list")
def list_datasets(
    run: Invocation,
    *,
    status: Annotated[Status | None, typer.Option(help="Only those of this status.")] = None,
    search: Annotated[str | None, typer.Option(help="Only names with this in them.")] = None,
    page: Page,
) -> None:
    """List the datasets, newest first."""
    answer_list(
        run,
        DATASETS,
        "datasets",
        COLUMNS,
        page,
        filters={"status": status, "search": search},
    )


@command(app, "show")
def show_dataset(run: Invocation, dataset_id: DatasetId) -> None:
    """Show a dataset and the first problems of its file."""
    _answer_one(run, run.client.get(f"{DATASETS}/{segment(dataset_id)}")["data"])


@command(app, "report")
def download_report(
    run: Invocation, *, dataset_id: DatasetId, output: Destination = None, force: Force = False
) -> None:
    """Save the full validation report."""
    link = run.client.get(f"{DATASETS}/{segment(dataset_id)}/report")["data"]
    answer_saved(run, link, output, force=force)


@command(app, "delete")
def delete_dataset(
    run: Invocation,
    *,
    dataset_id: DatasetId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a dataset with its file; refused while a training job uses it."""
    if not yes and not run.as_json:
        typer.confirm(f"Delete dataset {dataset_id} and its file for good?", abort=True)
    answer = run.client.delete(f"{DATASETS}/{segment(dataset_id)}")
    run.answer(answer, lambda console: console.print(f"Deleted {dataset_id}"))


def _answer_one(run: Invocation, dataset: Document) -> ExitCode:
    def show(console: "Console") -> None:
        console.print(record({name: dataset.get(name) for name in FIELDS}))
        problems = [*dataset["validation_errors"], *dataset["validation_warnings"]]
        if problems:
            console.print(table(problems, PROBLEM_COLUMNS, width=console.width))

    run.answer({"success": True, "data": dataset}, show)
    if dataset["status"] == "error":
        run.say(f"Full report: brightrun dataset report {dataset['id']}")
    return ExitCode.JOB_NOT_SUCCESSFUL if dataset["status"] == "error" else ExitCode.OK
