"""conversations list, show, example, download."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from cli.client import ApiClient, Document, segment
from cli.download_options import Destination, Force, answer_saved
from cli.errors import UsageError
from cli.examples import example_conversation
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, print_conversation
from cli.scaffolding import ARCS, PERSONAS, TOPICS, find_id
from cli.text import format_time, money, names

app = typer.Typer(help="The conversations: list, show, download.")

ConversationId = Annotated[str, typer.Argument(metavar="ID", help="The conversation.")]

COLUMNS = (
    Column("Id", "conversation_id", whole=True, stack="record"),
    Column("Created", "created_at", format_time, stack="record"),
    Column("Persona", "persona_key", stack="scaffolding"),
    Column("Arc", "emotional_arc_key", stack="scaffolding"),
    Column("Topic", "training_topic_key", stack="scaffolding"),
    Column("Turns", "turn_count", stack="state"),
    Column("Status", "status", stack="state"),
    Column("Quality", "quality_score", stack="state"),
    Column("Flags", "flags", names, stack="state"),
    Column("Cost", "cost_usd", money, stack="state"),
)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which conversations a command is about."""

    status: Annotated[str | None, typer.Option(help="Those of this review status.")] = None
    tier: Annotated[str | None, typer.Option(help="Those of this tier.")] = None
    persona: Annotated[str | None, typer.Option(help="Those of this persona; key or id.")] = None
    arc: Annotated[str | None, typer.Option(help="Those of this arc; key or id.")] = None
    topic: Annotated[str | None, typer.Option(help="Those of this topic; key or id.")] = None
    batch: Annotated[str | None, typer.Option(help="Those of this batch.")] = None
    enrichment_status: Annotated[
        str | None, typer.Option(help="Those of this enrichment status.")
    ] = None
    quality_min: Annotated[float | None, typer.Option(help="The lowest quality score.")] = None
    quality_max: Annotated[float | None, typer.Option(help="The highest quality score.")] = None
    search: Annotated[
        str | None,
        typer.Option(help="Those with these words in their name, persona, arc or topic."),
    ] = None

    def query(self, client: ApiClient) -> Document:
        """The filters that are set, as the API names them; looks up personas, arcs and topics."""
        given = {
            "status": self.status,
            "tier": self.tier,
            "persona_id": find_id(client, PERSONAS, self.persona),
            "emotional_arc_id": find_id(client, ARCS, self.arc),
            "training_topic_id": find_id(client, TOPICS, self.topic),
            "batch_job_id": self.batch,
            "enrichment_status": self.enrichment_status,
            "quality_min": self.quality_min,
            "quality_max": self.quality_max,
            "search": self.search,
        }
        return {name: value for name, value in given.items() if value is not None}


@command(app, "list")
def list_conversations(
    run: Invocation,
    *,
    filters: Filters,
    sort: Annotated[
        Literal["created_at", "updated_at", "quality_score", "turn_count"] | None,
        typer.Option(help="The order, ascending; by default the newest come first."),
    ] = None,
    descending: Annotated[
        bool, typer.Option("--descending", help="With --sort: the highest first.")
    ] = False,
    page: Page,
) -> None:
    """List the stored conversations, newest first or in another order."""
    query = {name: str(value) for name, value in filters.query(run.client).items()}
    if descending and sort is None:
        raise UsageError("--descending needs --sort; without it, the newest come first.")
    if sort:
        query |= {"sortBy": sort, "sortDirection": "desc" if descending else "asc"}
    answer_list(run, "/api/conversations", "conversations", COLUMNS, page, filters=query)


@command(app, "show")
def show_conversation(run: Invocation, conversation_id: ConversationId) -> None:
    """Print a conversation in full: its quality with the reasons, its flags, and every turn."""
    path = f"/api/conversations/{segment(conversation_id)}"
    answer = run.client.get(path, {"includeTurns": "true"})
    run.answer(
        answer,
        lambda console: print_conversation(
            console, answer["conversation"], answer.get("turns") or []
        ),
    )


@command(app, "example")
def print_example(run: Invocation) -> None:
    """Print a conversation as `import` takes it from a file; needs no session."""
    run.print_document(example_conversation())


@command(app, "download")
def download_conversation(
    run: Invocation,
    *,
    conversation_id: ConversationId,
    raw: Annotated[
        bool, typer.Option("--raw", help="The answer of Claude before it was parsed.")
    ] = False,
    output: Destination = None,
    force: Force = False,
) -> None:
    """Save a conversation's file; the file appears only when it is complete."""
    path = f"/api/conversations/{segment(conversation_id)}/download{'/raw' if raw else ''}"
    link = run.client.get(path)
    answer_saved(run, link, output, force=force)
