"""conversations approve, reject, archive, reopen, edit, audit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document, segment
from cli.commands.conversations import ConversationId, Filters
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, table
from cli.text import format_time

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

MOST_AT_ONCE = 100  # the API's own maximum

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="The conversations; or use filters.")
]
Reason = Annotated[str | None, typer.Option(help="The reason, recorded in the audit trail.")]

RESULTS = (
    Column("Id", "conversationId", whole=True),
    Column("Outcome", "outcome"),
    Column("Status", "status"),
    Column("Version", "version"),
)
TRAIL = (
    Column("When", "at", format_time),
    Column("Who", "by", whole=True),
    Column("Action", "action"),
    Column("From", "from_status"),
    Column("To", "to_status"),
    Column("Version", "version"),
    Column("Reason", "reason"),
)


def _decision(action: str, words: str) -> None:
    """Register the command of one decision."""

    def decide(
        run: Invocation,
        ids: Ids = None,
        *,
        reason: Reason = None,
        filters: Filters,
    ) -> int:
        return _decide(run, action, ids or [], filters.query(run.client), reason)

    decide.__doc__ = f"{words} the named conversations, or all that the filters find."
    command(app, action)(decide)


for _action, _words in (
    ("approve", "Approve"),
    ("reject", "Reject, with --reason,"),
    ("archive", "Archive"),
    ("reopen", "Put back to pending review"),
):
    _decision(_action, _words)


def _decide(
    run: Invocation, action: str, ids: list[str], wanted: Document, reason: str | None
) -> int:
    """Send as many requests as needed; 1 if a conversation was not found or changed meanwhile."""
    if bool(ids) == bool(wanted):
        raise UsageError(f"Give either conversations or filters to {action}, not both or neither.")
    if action == "reject" and not reason:
        raise UsageError("A rejection needs --reason.")
    asked: Document = {"action": action} | ({"reason": reason} if reason else {})
    results: list[Any] = []
    remaining = 0
    if ids:
        for begin in range(0, len(ids), MOST_AT_ONCE):
            some = {**asked, "conversationIds": ids[begin : begin + MOST_AT_ONCE]}
            results += _ask(run, some)["results"]
    else:
        results, remaining = _until_done(run, {**asked, "filter": wanted})
    document = _document(results, remaining)
    run.answer(document, lambda console: _print(console, document))
    return 0 if document["success"] else 1


def _until_done(run: Invocation, body: Document) -> tuple[list[Any], int]:
    """Repeat while the server reports remaining conversations and makes progress."""
    results: list[Any] = []
    while True:
        answer = _ask(run, body)
        results += answer["results"]
        if not answer["remaining"] or not answer["summary"]["updated"]:
            return results, answer["remaining"]


def _ask(run: Invocation, body: Document) -> Document:
    return run.client.post("/api/conversations/bulk-action", body)


def _document(results: list[Any], remaining: int) -> Document:
    outcomes = [result["outcome"] for result in results]
    names = ("updated", "unchanged", "not_found", "conflict")
    summary = {"total": len(outcomes), **{name: outcomes.count(name) for name in names}}
    done = not (summary["not_found"] or summary["conflict"] or remaining)
    return {"success": done, "summary": summary, "results": results, "remaining": remaining}


def _print(console: "Console", document: Document) -> None:
    left = [one for one in document["results"] if one["outcome"] != "updated"]
    if left:
        console.print(table(left, RESULTS, width=console.width))
    counts = document["summary"].items()
    console.print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts))
    if document["remaining"]:
        console.print(f"{document['remaining']} more match; repeat the command.")


@command(app, "edit")
def edit_turn(
    run: Invocation,
    *,
    conversation_id: ConversationId,
    turn: Annotated[int, typer.Option(min=1, help="The turn's number.")],
    reason: Annotated[str, typer.Option(help="The reason, recorded in the audit trail.")],
    text: Annotated[str | None, typer.Option(help="The new text of the turn.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="A UTF-8 file with the new text of the turn.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Only if the conversation is at this version.")
    ] = None,
) -> None:
    """Change the text of a turn; the conversation is enriched again and needs a new review."""
    path = f"/api/conversations/{segment(conversation_id)}"
    body = {"turn_number": turn, "content": _content(text, file), "reason": reason}
    answer = run.client.patch(path, body, if_match=f'"v{version}"' if version else None)
    edited = answer["conversation"]
    run.answer(
        answer,
        lambda console: console.print(
            f"Version {edited['version']}: {edited['status']}, "
            f"enrichment {edited['enrichment_status']}"
        ),
    )


def _content(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise UsageError("Give the new text with either --text or --file.")
    if file is None:
        return text or ""
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as UTF-8 text: {error}") from error


@command(app, "audit")
def show_trail(
    run: Invocation,
    *,
    conversation_id: ConversationId,
    page: Page,
) -> None:
    """List who changed a conversation, when and why, newest first."""
    answer_list(
        run,
        f"/api/conversations/{segment(conversation_id)}/audit",
        "entries",
        TRAIL,
        page,
    )
