"""convert: a training file of any known format into another, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.private_files import explained
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

MAX_WARNINGS = 10


def _formats(incomplete: str) -> list[str]:
    from brightrun.formats.format import writable  # takes time that other commands do not need

    return [name for name in writable() if name.startswith(incomplete)]


@command(app, "convert")
def convert_training_file(
    run: Invocation,
    *,
    source: Annotated[Path, typer.Argument(metavar="IN", help="Its format is detected.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="The format to write, such as messages; an unknown name lists them all.",
            autocompletion=_formats,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write.")],
) -> None:
    """Convert a training file to another format, offline; OUT appears only when complete."""
    document = _converted(source, to, output)
    run.answer(document, lambda console: _show(console, document))


def _converted(source: Path, to: str, output: Path) -> dict[str, Any]:
    from datetime import UTC, datetime

    from brightrun.core.timestamps import iso
    from brightrun.formats.convert import convert_file
    from brightrun.formats.errors import FormatError

    with explained("read", source), source.open("rb"):
        pass  # so that what follows can only fail for the output
    try:
        with explained("write", output):
            done = convert_file(source, to, output, created=iso(datetime.now(UTC)))
    except FormatError as error:
        raise UsageError(
            f"{source}: {error.message}", code=error.code, details=error.details
        ) from error
    return {
        "success": True,
        "input": str(source),
        "detected": done.detected.format.name,
        "detected_by": done.detected.reason,
        "to": to,
        "output": str(output),
        "bytes": output.stat().st_size,
        "records": done.records,
        "written": done.written,
        "trainable_pairs": done.trainable_pairs,
        "untrainable": done.untrainable,
        "left_out": dict(done.left_out),
        "warnings": done.warnings,
        "warning_count": done.warning_count,
    }


def _show(console: "Console", done: dict[str, Any]) -> None:
    console.print(plain(f"{done['input']} is {done['detected']}: {done['detected_by']}."))
    console.print(
        plain(
            f"Wrote {done['output']} as {done['to']}: {done['written']} records with "
            f"{done['trainable_pairs']} trainable pairs, from {done['records']} records."
        )
    )
    if done["untrainable"]:
        console.print(f"{done['untrainable']} pairs have no target to train on.")
    for reason, count in done["left_out"].items():
        console.print(plain(f"Left out {count}: {reason}"))
    for warning in done["warnings"][:MAX_WARNINGS]:
        console.print(plain(f"Warning: {warning}"))
    if done["warning_count"] > MAX_WARNINGS:
        console.print(f"{done['warning_count'] - MAX_WARNINGS} warnings more; see --json.")
