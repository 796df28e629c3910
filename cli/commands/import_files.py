"""import: the conversations of a file, sent in requests that the API takes."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import Document
from cli.errors import ExitCode, RefusedError
from cli.import_parts import ImportPart, ReadFile, read_file
from cli.invocation import Invocation, command
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
        typer.Argument(
            metavar="FILE...",
            help="Raw and enriched conversations, training.json or v4 JSON Lines, of any size.",
        ),
    ],
) -> ExitCode:
    """Import conversations from files, listing every warning and refusal."""
    read = [read_file(source) for source in sources]
    files: list[dict[str, Any]] = []
    for file in read:
        answer = _import_file(run, file)
        files.append({"file": str(file.source), **answer})
        run.say(f"{file.source}: {answer['imported']} imported, {answer['refused']} refused.")
    refused = sum(one["refused"] for one in files)
    summary: Document = {
        "success": refused == 0,
        "imported": sum(one["imported"] for one in files),
        "refused": refused,
        "files": files,
    }
    run.answer(summary, lambda console: _show(console, files))
    return ExitCode.JOB_NOT_SUCCESSFUL if refused else ExitCode.OK


def _import_file(run: Invocation, file: ReadFile) -> Document:
    """Send the requests of a file in order; give the result of each of its conversations."""
    results = list(file.refused)
    for number, part in enumerate(file.parts, start=1):
        answered = _import_part(run, part)
        results += [
            {**one, "place": place} for one, place in zip(answered, part.places, strict=True)
        ]
        if len(file.parts) > 1:
            run.say(f"{file.source}: part {number} of {len(file.parts)} sent.")
    refused = sum(one["conversation"] is None for one in results)
    return {
        "success": True,
        "imported": len(results) - refused,
        "refused": refused,
        "refused_codes": dict(Counter(one["code"] for one in results if one.get("code"))),
        "results": results,
    }


def _import_part(run: Invocation, part: ImportPart) -> list[dict[str, Any]]:
    """The results of a part; one that is refused as a whole does not end the import."""
    try:
        answer: list[dict[str, Any]] = run.client.post(
            "/api/conversations", {"document": part.document}
        )["results"]
    except RefusedError as error:
        faults = error.details if isinstance(error.details, list) else []
        if len(faults) != len(part.places):
            raise
        return [
            {
                "place": one["field"],
                "conversation": None,
                "warnings": [],
                "error": one["message"],
                "code": one.get("code"),
            }
            for one in faults
        ]
    return answer


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
