"""costs and budget: what writing, judging and training have cost, and what they may cost."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.client import Document
from cli.invocation import Invocation, command
from cli.render import Column, record, table
from cli.text import format_time, money

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

NAMES = {"training_compute": "training"}

COLUMNS = (
    Column("Recorded", "recorded_at", format_time),
    Column("For", "cost_type", lambda kind: NAMES.get(kind, kind)),
    Column("Job", "job_id", whole=True),
    Column("Amount", "amount", money),
    Column("Simulated", "simulated"),
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
    """Show what writing, judging and training have cost, by default over the last 30 days."""
    asked = {"period": period, "start_date": start, "end_date": end}
    answer = run.client.get("/api/costs", asked)
    data = answer["data"]

    def show(console: "Console") -> None:
        console.print(record(_sums(data)))
        if data["records"]:
            console.print(table(data["records"], COLUMNS, width=console.width))

    run.answer(answer, show)


def _sums(data: Document) -> dict[str, str]:
    """The total, and what it is made of; what was only simulated is no part of it."""
    by_type = {
        f"of it {NAMES.get(name, name)}": sum_ for name, sum_ in data["cost_by_type"].items()
    }
    sums = {"paid": data["total_cost"], **by_type}
    if data["simulated_cost"]:
        sums["simulated, not paid"] = data["simulated_cost"]
    return {name: money(amount) for name, amount in sums.items()}


@command(app, "budget")
def show_budget(run: Invocation) -> None:
    """Show what may be spent this month (UTC): the budget, what is spent, reserved and left."""
    answer = run.client.get("/api/costs/budget")
    data = answer["data"]

    def show(console: "Console") -> None:
        console.print(f"Month {data['month']} (UTC)")
        for whose, budget in (("You", data["owner"]), ("The deployment", data["deployment"])):
            if budget is not None:
                console.print(f"\n{whose}")
                console.print(record(_budget(budget)))
        price = money(data["training_price_without_cap_usd"])
        console.print(f"\nTraining that is estimated above {price} needs --max-cost.")

    run.answer(answer, show)


def _budget(budget: Document) -> dict[str, str]:
    """The amounts of a budget; reserved is what orders in progress may still cost."""
    limit = budget["limit_usd"]
    amounts = {
        f"{what} on {work}": budget[what][work]
        for work in ("writing", "training")
        for what in ("spent", "reserved")
    }
    told = {name: money(amount) for name, amount in amounts.items() if amount}
    if limit is None:
        return {**told, "budget": "none"}
    return {**told, "budget": money(limit), "left": money(budget["left_usd"])}
