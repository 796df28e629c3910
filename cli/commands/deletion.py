"""conversations delete."""

from typing import Annotated

import typer

from cli.bulk_action import BulkAction, Caution
from cli.client import segment
from cli.commands.conversations import Filters
from cli.commands.reviews import Ids, Reason
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation, command

app = typer.Typer()


@command(app, "delete")
def delete_conversations(
    run: Invocation,
    ids: Ids = None,
    *,
    reason: Reason = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Only if the conversation is at this version; for a single ID."),
    ] = None,
    filters: Filters,
    caution: Caution,
) -> ExitCode:
    """Delete conversations with their files, for good: this cannot be undone.

    Training files keep the pairs they were built with.
    """
    if version is None:
        wanted = filters.query(run.client)
        return BulkAction(run, "delete", ids or [], wanted, reason).perform(caution)
    if not ids or len(ids) > 1:
        raise UsageError("--version is for one conversation; delete the others without it.")
    if caution.dry_run:
        raise UsageError("--dry-run and --version do not go together.")
    question = f"Delete {ids[0]} and its files? This cannot be undone."
    if not caution.yes and not run.as_json and not typer.confirm(question):
        raise InterruptedByUserError("Nothing was deleted.")
    return _delete_one(run, ids[0], reason, version)


def _delete_one(
    run: Invocation, conversation_id: str, reason: str | None, version: int
) -> ExitCode:
    answer = run.client.delete(
        f"/api/conversations/{segment(conversation_id)}",
        params={"reason": reason},
        if_match=f'"v{version}"',
    )
    run.answer(answer, lambda console: console.print(f"Deleted {conversation_id}"))
    return ExitCode.OK
