"""failures list, show, download."""

from typing import Annotated

import typer

from cli.client import segment
from cli.download_options import Destination, Force, answer_saved
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record
from cli.text import format_time

app = typer.Typer(help="Conversations that could not be written, each with its report.")

FailureId = Annotated[str, typer.Argument(metavar="ID", help="The failure.")]

COLUMNS = (
    Column("Id", "id", whole=True),
    Column("Type", "failure_type", stack="kind"),
    Column("Stop reason", "stop_reason", stack="kind"),
    Column("Created", "created_at", format_time, stack="kind"),
    Column("Message", "error_message"),
)


@command(app, "list")
def list_failures(
    run: Invocation,
    *,
    failure_type: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    stop_reason: Annotated[str | None, typer.Option(help="Only with this stop reason.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch.")] = None,
    date_from: Annotated[str | None, typer.Option(help="Not before this day, in UTC.")] = None,
    date_to: Annotated[str | None, typer.Option(help="Not after this day, in UTC.")] = None,
    page: Page,
) -> None:
    """List the failures, newest first."""
    answer_list(
        run,
        "/api/failed-generations",
        "failures",
        COLUMNS,
        page,
        filters={
            "failure_type": failure_type,
            "stop_reason": stop_reason,
            "run_id": batch,
            "date_from": date_from,
            "date_to": date_to,
        },
    )


@command(app, "show")
def show_failure(run: Invocation, failure_id: FailureId) -> None:
    """Show one failure."""
    answer = run.client.get(f"/api/failed-generations/{segment(failure_id)}")
    run.answer(answer, lambda console: console.print(record(answer["failure"])))


@command(app, "download")
def download_failure(
    run: Invocation, *, failure_id: FailureId, output: Destination = None, force: Force = False
) -> None:
    """Save the full report of a failure."""
    link = run.client.get(f"/api/failed-generations/{segment(failure_id)}/download")
    answer_saved(run, link, output, force=force)
