"""logs list, stats: what each call to Claude used and cost."""

from typing import Annotated, Literal

import typer

from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record
from cli.text import format_time, money, number

app = typer.Typer(help="The generation log: what each call to Claude used and cost.")

COLUMNS = (
    Column("Conversation", "conversation_id", whole=True),
    Column("Status", "status", stack="call"),
    Column("Model", "model_used", stack="call"),
    Column("Created", "created_at", format_time, stack="call"),
    Column("Tokens in", "input_tokens", number, stack="use"),
    Column("Tokens out", "output_tokens", number, stack="use"),
    Column("Cost", "cost_usd", money, stack="use"),
)


@command(app, "list")
def list_logs(
    run: Invocation,
    *,
    status: Annotated[str | None, typer.Option(help="Only with this outcome.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only conversations, or judgements.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch.")] = None,
    date_from: Annotated[str | None, typer.Option(help="Not before this day, in UTC.")] = None,
    date_to: Annotated[str | None, typer.Option(help="Not after this day, in UTC.")] = None,
    page: Page,
) -> None:
    """List the log's entries, newest first."""
    answer_list(
        run,
        "/api/generation-logs",
        "logs",
        COLUMNS,
        page,
        filters={
            "status": status,
            "kind": kind,
            "model_used": model,
            "run_id": batch,
            "date_from": date_from,
            "date_to": date_to,
        },
    )


@command(app, "stats")
def show_stats(
    run: Invocation,
    *,
    kind: Annotated[
        Literal["cost", "performance"], typer.Option("--type", help="Which figures.")
    ] = "cost",
) -> None:
    """Show totals over the log."""
    answer = run.client.get("/api/generation-logs/stats", {"type": kind})
    fields = {name: value for name, value in answer.items() if name != "success"}
    run.answer(answer, lambda console: console.print(record(fields)))
