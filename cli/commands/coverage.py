"""conversations coverage, duplicates, diversity: what there is of each combination, what twice."""

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document
from cli.commands.conversations import Filters
from cli.commands.reviews import Ids
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.render import Column, record, table
from cli.text import number, plain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

DIVERSITY = "/api/conversations/diversity"
MOST_COMPARED = 500  # the API's own maximum

DUPLICATES = (
    Column("Id", "conversation_id", whole=True),
    Column("Same text as", "same_as", whole=True),
    Column("Kind", "kind"),
    Column("In common", "overlap", lambda share: f"{100 * float(share):.0f} %"),
)
OPENINGS = (
    Column("The client's first words", "opening"),
    Column("Conversations", "conversations", number),
)
PLANNED = (
    Column("Persona", "persona_key"),
    Column("Arc", "emotional_arc_key"),
    Column("Topic", "training_topic_key"),
    Column("Planned", "planned", number),
)


@command(app, "coverage")
def show_coverage(
    run: Invocation,
    *,
    batch: Annotated[str | None, typer.Option(help="Only those of this batch.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only those of this tier.")] = None,
) -> None:
    """Count the conversations by persona, arc and topic: a table of topics for each persona.

    A cell is "approved of all", and "-" where there is no conversation.
    """
    answer = run.client.get("/api/conversations/coverage", {"batch_job_id": batch, "tier": tier})
    run.answer(answer, lambda console: _show_coverage(console, answer))


@command(app, "planned")
def list_planned(run: Invocation) -> None:
    """List the combinations that unfinished batches have not written yet."""
    answer = run.client.get("/api/batch-jobs/planned")
    run.answer(answer, lambda console: _show_planned(console, answer))


def _show_planned(console: "Console", answer: Document) -> None:
    console.print(table(answer["combinations"], PLANNED, width=console.width))
    console.print(
        f"{number(answer['total'])} conversations are not written yet"
        + ("" if answer["complete"] else ", and more in older batches")
    )


def _show_coverage(console: "Console", answer: Document) -> None:
    by_persona: dict[str, list[Document]] = defaultdict(list)
    for cell in answer["combinations"]:
        by_persona[cell["persona_key"]].append(cell)
    for persona, cells in sorted(by_persona.items()):
        arcs = sorted({cell["emotional_arc_key"] for cell in cells})
        rows: dict[str, dict[str, Any]] = {}
        for cell in cells:
            topic = cell["training_topic_key"]
            row = rows.setdefault(topic, {"training_topic_key": topic})
            row[cell["emotional_arc_key"]] = _cell(cell)
        total = sum(cell["total"] for cell in cells)
        console.print(f"\n{plain(persona)}: {number(total)} conversations")
        # An arc's words stand below each other, so that the table stays narrow.
        columns = [Column(arc.replace("_", "\n"), arc) for arc in arcs]
        topics = [rows[topic] for topic in sorted(rows)]
        shown = [Column("Topic", "training_topic_key", whole=True), *columns]
        console.print(table(topics, shown, width=console.width))
    combinations = len(answer["combinations"]) + answer["omitted"]
    console.print(
        f"{number(answer['total'])} conversations in {number(combinations)} combinations"
        + (f", of which {number(answer['omitted'])} are not shown" if answer["omitted"] else "")
    )


def _cell(cell: Document) -> str:
    return f"{number(cell['by_status'].get('approved', 0))} of {number(cell['total'])}"


@command(app, "duplicates")
def list_duplicates(run: Invocation, ids: Ids = None, *, filters: Filters) -> None:
    """List conversations with the same text, exactly or nearly, as training files refuse them.

    Compares the named ones, or the newest 500 that the filters find.
    """
    wanted = filters.query(run.client)
    if ids and wanted:
        raise UsageError("Give either conversations or filters, not both.")
    chosen, more = (ids, False) if ids else _newest(run, wanted)
    if len(chosen) > MOST_COMPARED:
        raise UsageError(f"At most {MOST_COMPARED} conversations are compared at once.")
    if not chosen:
        raise UsageError("No conversation is found.")
    answer = run.client.post("/api/conversations/duplicates", {"conversation_ids": chosen})
    document = {**answer, "more": more}
    run.answer(document, lambda console: _show_duplicates(console, document))


@command(app, "diversity")
def show_diversity(run: Invocation, *, filters: Filters) -> None:
    """Measure how much conversations differ: of a batch (--batch), or of the whole library.

    Of more than 500 that match, 500 evenly spaced ones are measured.
    """
    wanted = filters.query(run.client)
    answer = run.client.post(DIVERSITY, {"filter": wanted} if wanted else {})
    run.answer(answer, lambda console: _show_diversity(console, answer))


def _show_diversity(console: "Console", answer: Document) -> None:
    found = answer["diversity"]
    console.print(
        record(
            {
                "measured": f"{number(found['conversations'])} of {number(answer['matching'])}",
                "distinct words": found["distinct_1"],
                "distinct pairs of words": found["distinct_2"],
                "compression ratio": found["compression_ratio"],
                "repeated phrases": found["repeated_phrases"],
                "duplicates": len(found["duplicates"]),
            }
        )
    )
    if found["repeated_openings"]:
        console.print(table(found["repeated_openings"], OPENINGS, width=console.width))
    if answer["not_enriched"]:
        console.print(f"{number(answer['not_enriched'])} are not enriched, and not measured.")


def _newest(run: Invocation, wanted: Document) -> tuple[list[str], bool]:
    query = {name: str(value) for name, value in wanted.items()}
    pages = run.client.pages("/api/conversations", "conversations", query)
    rows = (one["conversation_id"] for page in pages for one in page["conversations"])
    found = list(islice(rows, MOST_COMPARED + 1))
    return found[:MOST_COMPARED], len(found) > MOST_COMPARED


def _show_duplicates(console: "Console", document: Document) -> None:
    found = document["duplicates"]
    if found:
        console.print(table(found, DUPLICATES, width=console.width))
    console.print(f"{number(len(found))} duplicates among {number(document['compared'])} compared.")
    if document["not_enriched"]:
        console.print(
            f"{number(len(document['not_enriched']))} are not enriched, and not compared."
        )
    if document["more"]:
        console.print("There are more; narrow them with filters, such as --batch.")
