"""conversations delete."""

from typing import Annotated, Any

import typer

from cli.client import Document, segment
from cli.commands.reviews import MOST_AT_ONCE
from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.render import Column, table

app = typer.Typer()

LEFT = (Column("Id", "conversationId", whole=True), Column("Outcome", "outcome"))


@command(app, "delete")
def delete_conversations(
    run: Invocation,
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The conversations.")],
    reason: Annotated[
        str | None, typer.Option(help="The reason, recorded in the audit trail.")
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Only if the conversation is at this version; for a single ID."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> ExitCode:
    """Delete conversations with their files; training files keep the pairs they were built with."""
    if version and len(ids) > 1:
        raise UsageError("--version is for one conversation; delete the others without it.")
    if not yes and not run.as_json:
        typer.confirm(f"Delete {len(ids)} conversation(s) and their files for good?", abort=True)
    if len(ids) == 1:
        return _delete_one(run, ids[0], reason, version)
    results: list[Any] = []
    for begin in range(0, len(ids), MOST_AT_ONCE):
        body: Document = {"action": "delete", "conversationIds": ids[begin : begin + MOST_AT_ONCE]}
        body |= {"reason": reason} if reason else {}
        results += run.client.post("/api/conversations/bulk-action", body)["results"]
    left = [one for one in results if one["outcome"] != "deleted"]
    document = {"success": not left, "deleted": len(results) - len(left), "results": results}
    if left:
        run.say(f"{len(left)} were not deleted.")
    run.answer(
        document,
        lambda console: console.print(
            table(left, LEFT, width=console.width) if left else f"Deleted {len(results)}"
        ),
    )
    return ExitCode.JOB_NOT_SUCCESSFUL if left else ExitCode.OK


def _delete_one(
    run: Invocation, conversation_id: str, reason: str | None, version: int | None
) -> ExitCode:
    answer = run.client.delete(
        f"/api/conversations/{segment(conversation_id)}",
        params={"reason": reason},
        if_match=f'"v{version}"' if version else None,
    )
    run.answer(answer, lambda console: console.print(f"Deleted {conversation_id}"))
    return ExitCode.OK
