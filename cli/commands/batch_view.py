"""batch list, show, watch, report, items, log."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.batch_conversations import quality_report, show_quality_report
from cli.batch_watching import (
    BatchStatus,
    LogReader,
    batch_status,
    describe,
    follow_log,
    watch_batch,
)
from cli.client import Document, segment
from cli.deadline import told
from cli.errors import ExitCode
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record, table
from cli.text import format_time, money, number, percent, plain, quantiles, quote_basis, tokens
from cli.watching import POLL_S

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

JobStatus = Literal["queued", "processing", "paused", "completed", "failed", "cancelled"]
ItemStatus = Literal["queued", "processing", "completed", "failed", "cancelled"]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The batch.")]

JOB_COLUMNS = (
    Column("Id", "id", whole=True),
    Column("Name", "name", stack="batch"),
    Column("Status", "statusLine", stack="batch"),
    Column("Created", "createdAt", format_time, stack="batch"),
    Column("Total", "totalItems", number),
    Column("Good", "successfulItems", number),
    Column("Failed", "failedItems", number),
    Column("Cost", "costUsd", money),
)
ITEM_COLUMNS = (
    Column("#", "position"),
    Column("Status", "status"),
    Column("Persona", "persona_key", stack="scaffolding"),
    Column("Arc", "emotional_arc_key", stack="scaffolding"),
    Column("Topic", "training_topic_key", stack="scaffolding"),
    Column("Tries", "attempts"),
    Column("Cost", "cost_usd", money),
    Column("Reused", "reused"),
    Column("Conversation", "conversation_id", stack="outcome"),
    Column("Error", "error_message", stack="outcome"),
)
QUOTE_COLUMNS = (
    Column("Quoted by", "source"),
    Column("Simulated", "simulated"),
    Column("Batches", "batches", number),
    Column("Mean error", "cost_mape", percent),
    Column("Within p90", "cost_p90_coverage", percent),
)


@command(app, "list")
def list_batches(
    run: Invocation,
    *,
    status: Annotated[JobStatus | None, typer.Option(help="Only those of this status.")] = None,
    page: Page,
) -> None:
    """List the batches, newest first."""
    answer_list(
        run,
        "/api/batch-jobs",
        "jobs",
        JOB_COLUMNS,
        page,
        filters={"status": status},
    )


@command(app, "show")
def show_batch(run: Invocation, job_id: JobId) -> None:
    """Show the progress, the cost and the stop reason of a batch."""
    status = batch_status(run.client, job_id)
    run.answer(status.document, lambda console: console.print(record(_summary(status))))


@command(app, "quotes")
def show_quotes(run: Invocation) -> None:
    """Compare the quotes of the newest 100 batches with what the batches cost.

    Only batches that were written whole count, and simulated ones by themselves.
    """
    answer = run.client.get("/api/batch-jobs/quotes")

    def show(console: "Console") -> None:
        console.print(table(answer["accuracy"], QUOTE_COLUMNS, width=console.width))

    run.answer(answer, show)


@command(app, "watch")
def watch(
    run: Invocation,
    *,
    job_id: JobId,
    interval: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two requests.")
    ] = POLL_S,
) -> ExitCode:
    """Follow a batch until it ends, or is paused with nothing in flight.

    Exits 0 when every conversation succeeded and 1 otherwise. Ctrl-C leaves the batch running.
    """
    last = watch_batch(run.client, job_id, run.progress_console, interval)
    run.answer(last.document, lambda console: _show_end(run, console, last))
    if last.failed:
        run.say(f"See why: brightrun batch items {job_id} --status failed")
    if last.status == "paused":
        run.say(f"Paused; resume with: brightrun batch resume {job_id}")
    if last.status == "completed" and last.cancelled:
        run.say(f"Write the rest with: brightrun batch resume {job_id} --max-cost USD")
    return ExitCode.OK if last.is_success else ExitCode.JOB_NOT_SUCCESSFUL


def _show_end(run: Invocation, console: "Console", last: BatchStatus) -> None:
    console.print(record(_summary(last)))
    if last.successful:
        show_quality_report(console, quality_report(run.client, last.job_id))


@command(app, "report")
def show_report(run: Invocation, job_id: JobId) -> None:
    """Show how good a batch is: scores, flags, and its weakest conversations with the reasons."""
    status = batch_status(run.client, job_id)
    report = quality_report(run.client, job_id)

    def show(console: "Console") -> None:
        console.print(record(_summary(status)))
        show_quality_report(console, report)

    run.answer({**status.document, "quality": report}, show)


@command(app, "items")
def list_items(
    run: Invocation,
    *,
    job_id: JobId,
    status: Annotated[ItemStatus | None, typer.Option(help="Only those of this status.")] = None,
    page: Page,
) -> None:
    """List the conversations of a batch and the outcome of each."""
    answer_list(
        run,
        f"/api/conversations/batch/{segment(job_id)}/items",
        "items",
        ITEM_COLUMNS,
        page,
        filters={"status": status},
    )


@command(app, "log")
def show_log(
    run: Invocation,
    *,
    job_id: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until the batch ends.")
    ] = False,
) -> None:
    """Print the log of a batch."""
    job = (run.client, job_id)
    lines = follow_log(*job) if follow else LogReader(*job).new_lines()
    if run.as_json:
        run.answer({"success": True, "lines": list(lines)}, lambda _: None)
        return
    for line in lines:
        typer.echo(plain(line))


def _summary(status: BatchStatus) -> dict[str, object]:
    document = status.document
    return {
        "id": status.job_id,
        "name": status.name,
        "progress": describe(status),
        "lane": document.get("lane"),
        "done by": told(document),
        "stopped because": status.stopped_reason,
        "started (UTC)": format_time(document.get("startedAt")),
        "ended (UTC)": format_time(document.get("completedAt")),
        "tokens": tokens(document),
        "prompt cache": _cached(document),
        "cost": money(status.cost_usd) if status.is_final else f"{money(status.cost_usd)} so far",
        "quoted": _quoted(document),
    }


def _cached(document: Document) -> str | None:
    """What prompts read from the prompt cache and what that saved, or why it saves nothing."""
    cache = document["prompt_cache"]
    if cache["hit_rate"] is None:
        return None if cache["notice"] is None else plain(cache["notice"])
    saved = cache["saved_usd"]
    told = (
        f"{number(cache['read_tokens'])} tokens read, {number(cache['written_tokens'])} written "
        f"({percent(cache['hit_rate'])} found), "
        + (f"{money(saved)} saved" if saved >= 0 else f"{money(-saved)} more than without")
    )
    return f"{told}. {plain(cache['notice'])}" if cache["notice"] else told


def _quoted(document: Document) -> str | None:
    """The quote that the batch was ordered with, and how wrong it was."""
    if (quote := document["quote"]) is None:
        return None
    told = f"{quantiles(quote, money)}, by {quote_basis(quote)}"
    error = document["quote_error"]
    return told if error is None else f"{told}; it cost {error:+.0%}"
