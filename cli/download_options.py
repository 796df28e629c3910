"""Where a download is saved, and what a command says of it; the same for all that save a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import Document
from cli.invocation import Invocation

Destination = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="By default the server's file name, in the current folder.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there already.")]


def answer_saved(
    run: Invocation, link: Document, output: Path | None, *, force: bool, **about: Any
) -> None:
    """Save what a link answer points to, and say where it is; `about` goes into the document."""
    from cli.download import save_link

    saved = save_link(link, output, run.client.retry, overwrites=force)
    document = {"success": True, "path": str(saved), "bytes": saved.stat().st_size, **about}
    run.answer(document, lambda console: console.print(f"Saved {saved}"))
