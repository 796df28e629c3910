"""conversations stats, enrich, report."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document, segment
from cli.commands.conversations import ConversationId
from cli.invocation import Invocation, command
from cli.render import Column, record, table

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

MOST_AT_ONCE = 100  # the API's own maximum

ENRICHED = (
    Column("Id", "conversationId", whole=True),
    Column("Outcome", "status"),
    Column("Enrichment", "enrichment_status"),
    Column("Error", "error"),
)
ISSUES = (
    Column("Code", "code", whole=True),
    Column("Severity", "severity"),
    Column("Where", "field", whole=True),
    Column("Message", "message"),
)


@command(app, "stats")
def show_statistics(run: Invocation) -> None:
    """Count the conversations by review, tier and enrichment, with their average quality."""
    answer = run.client.get("/api/conversations/stats")
    flat = {name: _flat(value) for name, value in answer.items() if name != "success"}
    run.answer(answer, lambda console: console.print(record(flat)))


@command(app, "enrich")
def enrich_conversations(
    run: Invocation,
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The conversations.")],
    again: Annotated[
        bool, typer.Option("--again", help="Also enrich those that are enriched already.")
    ] = False,
) -> int:
    """Enrich conversations into training pairs; enriched ones are skipped."""
    results: list[Any] = []
    if again:
        results = [_again(run, one) for one in ids]
    else:
        for begin in range(0, len(ids), MOST_AT_ONCE):
            body = {"conversationIds": ids[begin : begin + MOST_AT_ONCE]}
            results += run.client.post("/api/conversations/bulk-enrich", body)["results"]
    failed = any(result["status"] == "failed" for result in results)
    document = {"success": not failed, "results": results}
    run.answer(document, lambda console: console.print(table(results, ENRICHED)))
    return 1 if failed else 0


def _again(run: Invocation, conversation_id: str) -> Document:
    answer = run.client.post(f"/api/conversations/{segment(conversation_id)}/enrich")
    return {
        "conversationId": conversation_id,
        "status": "enriched",
        "enrichment_status": answer["final_status"],
        "error": None,
    }


@command(app, "report")
def show_report(run: Invocation, conversation_id: ConversationId) -> None:
    """Show what the validation of a conversation found."""
    path = f"/api/conversations/{segment(conversation_id)}/validation-report"
    answer = run.client.get(path)
    run.answer(answer, lambda console: _print_report(console, answer))


def _print_report(console: "Console", answer: Document) -> None:
    report = answer["validation_report"] or {}
    issues = [*report.get("blockers", []), *report.get("warnings", [])]
    console.print(f"Enrichment: {answer['enrichment_status']}")
    if answer["enrichment_error"]:
        console.print(answer["enrichment_error"])
    if issues:
        console.print(table(issues, ISSUES, width=console.width))
    elif report:
        console.print("The validation found nothing.")


def _flat(value: Any) -> Any:
    """Counts by name in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items())) or None
    return value
