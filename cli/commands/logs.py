"""logs list, stats: what each call to Claude used and cost."""

from typing import Annotated, Literal

import typer

from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record
from cli.text import format_time, money

app = typer.Typer(help="The generation log: what each call to Claude used and cost.")

COLUMNS = (
    Column("Conversation", "conversation_id", whole=True),
    Column("Status", "status", stack="call"),
    Column("Model", "model_used", stack="call"),
    Column("Created", "created_at", format_time, stack="call"),
    Column("Tokens in", "input_tokens", stack="use"),
    Column("Tokens out", "output_tokens", stack="use"),
    Column("Cost", "cost_usd", money, stack="use"),
)


@command(app, "list")
def list_logs(
    run: Invocation,
    *,
    page: Page,
) -> None:
    """List the log's entries, newest first."""
    answer_list(
        run,
        "/api/generation-logs",
        "logs",
        COLUMNS,
        page,
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
