"""conversations approve, reject, archive, reopen, undo, edit, audit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.bulk_action import BulkAction, Caution, show_rest, undo_action
from cli.client import segment
from cli.commands.conversations import ConversationId, Filters
from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column
from cli.text import format_time, number

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="The conversations; or use filters.")
]
Reason = Annotated[str | None, typer.Option(help="The reason, recorded in the audit trail.")]

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
        caution: Caution,
    ) -> ExitCode:
        if action == "reject" and not reason:
            raise UsageError("A rejection needs --reason.")
        wanted = filters.query(run.client)
        return BulkAction(run, action, ids or [], wanted, reason).perform(caution)

    decide.__doc__ = f"{words} the named conversations, or all that the filters find."
    command(app, action)(decide)


for _action, _words in (
    ("approve", "Approve"),
    ("reject", "Reject, with --reason,"),
    ("archive", "Archive"),
    ("reopen", "Put back to pending review"),
):
    _decision(_action, _words)


@command(app, "undo")
def undo(
    run: Invocation,
    action_id: Annotated[
        str, typer.Argument(metavar="ID", help="The id that the action printed when it was done.")
    ],
) -> ExitCode:
    """Undo an approval, rejection, archiving or reopening, of all that it changed.

    A conversation that was changed since stays as it is, and is listed. Exits 1 if there is one.
    """
    outcome = undo_action(run, segment(action_id))

    def show(console: "Console") -> None:
        summary = outcome["summary"]
        console.print(f"Put back {number(summary['updated'])} conversation(s).")
        if summary["unchanged"]:
            console.print(f"{number(summary['unchanged'])} had been put back before.")
        changed = [one for one in outcome["results"] if one["outcome"] != "unchanged"]
        show_rest(console, {"results": changed}, "were changed since, and stay as they are")

    run.answer(outcome, show)
    return ExitCode.OK if outcome["success"] else ExitCode.JOB_NOT_SUCCESSFUL


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
