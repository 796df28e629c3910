"""import: conversations from files of the original."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document
from cli.errors import ExitCode
from cli.invocation import Invocation, command
from cli.private_files import read_json_object
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@command(app, "import")
def import_files(
    run: Invocation,
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Raw, enriched or training.json; up to 5 MB each."),
    ],
) -> ExitCode:
    """Take in conversations from files, listing every warning and everything that is refused."""
    documents = [(source, read_json_object(source)) for source in sources]
    files: list[dict[str, Any]] = []
    for source, document in documents:
        answer = run.client.post("/api/conversations", {"document": document})
        files.append({"file": str(source), **answer})
        run.say(f"{source}: {answer['imported']} imported, {answer['refused']} refused.")
    refused = sum(one["refused"] for one in files)
    summary: Document = {
        "success": refused == 0,
        "imported": sum(one["imported"] for one in files),
        "refused": refused,
        "files": files,
    }
    run.answer(summary, lambda console: _show(console, files))
    return ExitCode.JOB_NOT_SUCCESSFUL if refused else ExitCode.OK


def _show(console: "Console", files: list[dict[str, Any]]) -> None:
    for one in files:
        for result in one["results"]:
            kept = result["conversation"]
            told = f"{kept['conversation_id']}: {kept['enrichment_status']}" if kept else "refused"
            console.print(plain(f"{one['file']}, {result['place']}: {told}"), soft_wrap=True)
            if result["error"]:
                console.print(plain(f"  Refused: {result['error']}"), soft_wrap=True)
            for warning in result["warnings"]:
                console.print(plain(f"  Warning: {warning}"), soft_wrap=True)
