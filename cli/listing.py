"""Paging of list commands: the options, and the collected pages as one result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cli.client import rows_of
from cli.invocation import Invocation
from cli.render import Column, table

DEFAULT_LIMIT = 25

Limit = Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows.")]
Everything = Annotated[bool, typer.Option("--all", help="All rows, regardless of --limit.")]
Cursor = Annotated[
    str | None,
    typer.Option("--cursor", help="Continue after the next_cursor of an earlier answer."),
]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Which rows of a list are asked for."""

    limit: Limit = DEFAULT_LIMIT
    everything: Everything = False
    cursor: Cursor = None


def answer_list(
    run: Invocation,
    path: str,
    key: str,
    columns: Sequence[Column],
    page: Page,
    *,
    filters: Mapping[str, str | None] | None = None,
) -> None:
    """Fetch the pages of a list route and answer with its rows under the route's own key."""
    rows: list[dict[str, Any]] = []
    following: str | None = None
    limit = None if page.everything else page.limit
    params = {**(filters or {}), "cursor": page.cursor}
    for answer in run.client.pages(path, key, params, limit):
        rows.extend(rows_of(answer, key))
        following = answer.get("next_cursor")
    rows = rows[:limit]  # scaffolding routes answer everything at once
    document = {"success": True, key: rows, "count": len(rows), "next_cursor": following}
    run.answer(document, lambda console: console.print(table(rows, columns, width=console.width)))
    if following:
        run.say(f"There are more; repeat with --all or --cursor {following}")
