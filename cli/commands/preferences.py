"""conversations preferences: edited answers as preference data, one line each."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.client import Document
from cli.commands.conversations import Filters
from cli.commands.reviews import Ids
from cli.download_options import Force
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.text import number

app = typer.Typer()

PREFERENCES = "/api/conversations/preferences"


@command(app, "preferences")
def export_preferences(
    run: Invocation,
    *,
    ids: Ids = None,
    filters: Filters,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The JSON Lines file to write.")
    ],
    force: Force = False,
) -> None:
    """Save edited answers as preference data for DPO: the edited text chosen over the first one.

    Of the approved conversations, of those that the filters find, or of the named ones. Training
    here learns answers themselves and does not take the file; TRL's DPOTrainer does.
    """
    from cli.download import replacing, require_absent

    wanted = filters.query(run.client)
    if ids and wanted:
        raise UsageError("Give either conversations or filters, not both.")
    if not force:
        require_absent(output)
    body: Document = {"conversation_ids": ids} if ids else {"filter": wanted} if wanted else {}
    written, selected, omitted = 0, 0, Counter[str]()
    with replacing(output) as stream:
        for page in _pages(run, body):
            selected = page["selected"]
            omitted.update(one["reason"] for one in page["omitted"])
            for record in page["records"]:
                stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
                written += 1
    document = {
        "success": True,
        "path": str(output),
        "records": written,
        "conversations": selected,
        "omitted": dict(omitted),
    }
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(omitted.items()))
    said = f"{number(written)} edited answers of {number(selected)} conversations: {output}"
    run.answer(document, lambda console: console.print(said + (f"; {reasons}" if reasons else "")))


def _pages(run: Invocation, body: Document) -> Iterator[Document]:
    """Each part of the answer, one after the other; only one is in memory."""
    position: int | None = 0
    while position is not None:
        page = run.client.post(PREFERENCES, {**body, "position": position})
        yield page
        position = page["next_position"]
