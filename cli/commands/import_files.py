"""import: conversations from files of v1."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document
from cli.errors import ExitCode, RefusedError
from cli.import_parts import parts_of
from cli.invocation import Invocation, command
from cli.private_files import read_json_object
from cli.render import quality_of
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()


@command(app, "import")
def import_files(
    run: Invocation,
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Raw, enriched or training.json, of any size."),
    ],
) -> ExitCode:
    """Import conversations from files, listing every warning and refusal."""
    parted = [(source, parts_of(str(source), read_json_object(source))) for source in sources]
    files: list[dict[str, Any]] = []
    for source, parts in parted:
        answer = _import_parts(run, source, parts)
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


def _import_parts(run: Invocation, source: Path, parts: list[Document]) -> Document:
    """Send the parts in order; return one answer whose places count through the whole file."""
    if len(parts) == 1:
        return run.client.post("/api/conversations", {"document": parts[0]})
    results: list[dict[str, Any]] = []
    for number, part in enumerate(parts, start=1):
        before, size = len(results), len(part["conversations"])
        results += _placed(_import_part(run, part), before)
        run.say(f"{source}: part {number} of {len(parts)}, {before + size} conversations sent.")
    refused = sum(one["conversation"] is None for one in results)
    return {
        "success": True,
        "imported": len(results) - refused,
        "refused": refused,
        "results": results,
    }


def _import_part(run: Invocation, part: Document) -> list[dict[str, Any]]:
    """The results of a part; a part that is refused as a whole does not end the import."""
    try:
        answer: list[dict[str, Any]] = run.client.post("/api/conversations", {"document": part})[
            "results"
        ]
    except RefusedError as error:
        faults = error.details if isinstance(error.details, list) else []
        if len(faults) != len(part["conversations"]):
            raise
        return [
            {"place": one["field"], "conversation": None, "warnings": [], "error": one["message"]}
            for one in faults
        ]
    return answer


def _placed(results: list[dict[str, Any]], before: int) -> list[dict[str, Any]]:
    return [
        {**one, "place": f"conversation {before + number}"}
        for number, one in enumerate(results, start=1)
    ]


def _show(console: "Console", files: list[dict[str, Any]]) -> None:
    for one in files:
        for result in one["results"]:
            kept = result["conversation"]
            outcome = (
                f"{kept['conversation_id']}: {kept['enrichment_status']}, {quality_of(kept)}"
                if kept
                else "refused"
            )
            console.print(plain(f"{one['file']}, {result['place']}: {outcome}"), soft_wrap=True)
            if result["error"]:
                console.print(plain(f"  Refused: {result['error']}"), soft_wrap=True)
            for warning in result["warnings"]:
                console.print(plain(f"  Warning: {warning}"), soft_wrap=True)
