"""costs: what training has cost."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.invocation import Invocation, command
from cli.render import Column, record, table
from cli.text import format_time, money

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

COLUMNS = (
    Column("Recorded", "recorded_at", format_time),
    Column("Type", "cost_type"),
    Column("Job", "job_id", whole=True),
    Column("Amount", "amount", money),
)


@command(app, "costs")
def show_costs(
    run: Invocation,
    *,
    period: Annotated[
        Literal["week", "month", "year"] | None,
        typer.Option(help="The number of days up to today."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, such as 2026-11-01.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
) -> None:
    """Show what training has cost, by default over the last 30 days."""
    asked = {"period": period, "start_date": start, "end_date": end}
    answer = run.client.get("/api/costs", asked)
    data = answer["data"]

    def show(console: "Console") -> None:
        total = {"total": money(data["total_cost"])}
        by_type = {name: money(amount) for name, amount in data["cost_by_type"].items()}
        console.print(record(total | by_type))
        if data["records"]:
            console.print(table(data["records"], COLUMNS, width=console.width))

    run.answer(answer, show)
