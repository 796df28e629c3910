"""conversations stats, enrich, report."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.batch_conversations import read_conversation
from cli.bulk_action import MOST_AT_ONCE
from cli.client import Document, segment
from cli.commands.conversations import ConversationId
from cli.invocation import Invocation, command
from cli.render import Column, print_quality, quality_of, record, table
from cli.text import number

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

QUALITY = (
    "quality_score",
    "quality_tier",
    "quality_reasons",
    "quality_criteria",
    "flags",
    "flag_details",
)

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
    """Show a conversation's score with its reasons, its flags, and what the validation found."""
    path = f"/api/conversations/{segment(conversation_id)}/validation-report"
    conversation = read_conversation(run.client, conversation_id)["conversation"]
    answer = {**run.client.get(path), **{name: conversation.get(name) for name in QUALITY}}
    run.answer(answer, lambda console: _print_report(console, answer))


def _print_report(console: "Console", answer: Document) -> None:
    if answer["quality_score"] is None:
        console.print(quality_of(answer).capitalize())
    print_quality(console, answer)
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
        return ", ".join(f"{name} {number(count)}" for name, count in sorted(value.items())) or None
    return number(value) if isinstance(value, int) else value
