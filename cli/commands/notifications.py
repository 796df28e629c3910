"""notifications list, read."""

from typing import Annotated

import typer

from cli.client import segment
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column
from cli.text import format_time

app = typer.Typer(help="The notifications of the system.")

NOTIFICATIONS = "/api/notifications"
COLUMNS = (
    Column("Id", "id", whole=True),
    Column("When", "created_at", format_time),
    Column("Priority", "priority"),
    Column("Title", "title"),
    Column("Message", "message"),
    Column("Read", "read"),
)


@command(app, "list")
def list_notifications(
    run: Invocation,
    *,
    unread: Annotated[bool, typer.Option("--unread", help="Only those not read yet.")] = False,
    page: Page,
) -> None:
    """List the notifications, newest first."""
    answer_list(
        run,
        NOTIFICATIONS,
        "notifications",
        COLUMNS,
        page,
        filters={"unread": "true" if unread else None},
    )


@command(app, "read")
def mark_read(
    run: Invocation,
    notification_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The notification; by default all of them.")
    ] = None,
) -> None:
    """Mark one notification, or all, as read."""
    if notification_id is None:
        answer = run.client.post(f"{NOTIFICATIONS}/read-all")
    else:
        answer = run.client.patch(f"{NOTIFICATIONS}/{segment(notification_id)}/read", {})
    run.answer(answer, lambda console: console.print("Marked as read."))
