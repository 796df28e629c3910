"""convert: a training file of any known format into another, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.private_files import explained
from cli.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from brightrun.formats.tally import Conversion

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
    merge_turns: Annotated[
        bool,
        typer.Option("--merge-turns", help="Join neighbouring turns of one role by an empty line."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over OUT if it is there already.")
    ] = False,
) -> ExitCode:
    """Convert a training file to another format, offline; OUT appears only when complete.

    Exits 0 if every record was carried over, 1 if some were left out, 2 if nothing was written.
    """
    done = _converted(source, to, output, merge_turns=merge_turns, force=force)
    document = _document(source, output, done)
    run.answer(document, lambda console: _show(console, document))
    return ExitCode.OK if done.is_complete else ExitCode.JOB_NOT_SUCCESSFUL


def _converted(
    source: Path, to: str, output: Path, *, merge_turns: bool, force: bool
) -> "Conversion":
    from datetime import UTC, datetime

    from brightrun.core.timestamps import iso
    from brightrun.formats.convert import convert_file
    from brightrun.formats.errors import FormatError, OutputExistsError

    with explained("read", source), source.open("rb"):
        pass  # so that what follows can only fail for the output
    try:
        with explained("write", output):
            return convert_file(
                source,
                to,
                output,
                created=iso(datetime.now(UTC)),
                merges_turns=merge_turns,
                overwrites=force,
            )
    except OutputExistsError as error:
        raise UsageError(
            error.message, code=error.code, hint="Name another file, or add --force."
        ) from error
    except FormatError as error:
        raise UsageError(
            f"{source}: {error.message}", code=error.code, details=error.details
        ) from error


def _document(source: Path, output: Path, done: "Conversion") -> dict[str, Any]:
    detected = done.detected
    return {
        "success": done.is_complete,
        "input": str(source),
        "detected": detected and detected.format.name,
        "detected_by": detected and detected.reason,
        "to": done.to.name,
        "output": str(output),
        "bytes": output.stat().st_size,
        "records": done.records,
        "written": done.written,
        "trainable_pairs": done.trainable_pairs,
        "untrainable": done.untrainable,
        "not_written": done.not_written,
        "cut_off": done.cut_off,
        "refused": done.refused,
        "left_out": dict(done.left_out),
        "turns_left_out": done.turns_left_out,
        "lost_fields": dict(done.lost_fields),
        "file_errors": done.file_errors,
        "warnings": done.warnings,
        "warning_count": done.warning_count,
    }


def _show(console: "Console", done: dict[str, Any]) -> None:
    for line in _told(done):
        console.print(plain(line), soft_wrap=True)
    for warning in done["warnings"][:MAX_WARNINGS]:
        console.print(plain(f"  {warning}"), soft_wrap=True)
    if done["warning_count"] > MAX_WARNINGS:
        console.print(f"  {done['warning_count'] - MAX_WARNINGS:,} more; --json lists up to 100.")


def _told(done: dict[str, Any]) -> "Iterator[str]":
    """What was read and written, and all that is not in the new file."""
    yield f"{done['input']} is {done['detected']}: {done['detected_by']}."
    yield (
        f"Wrote {done['output']} as {done['to']}: {done['written']:,} records with "
        f"{done['trainable_pairs']:,} trainable pairs, from {done['records']:,} records."
    )
    if done["untrainable"]:
        yield (
            f"{done['untrainable']:,} records have no answer to train on; "
            f"{done['not_written']:,} of them are left out, as the format has no place for them."
        )
    if done["cut_off"]:
        yield f"{done['cut_off']:,} answers end in a backslash: cut off, and not trained."
    if done["turns_left_out"]:
        yield f"{done['turns_left_out']:,} turns after the last trained answer are left out."
    for name, count in done["lost_fields"].items():
        yield f"The field {name} of {count:,} records has no place in {done['to']}: left out."
    for error in done["file_errors"]:
        yield f"The file: {error}"
    if done["refused"]:
        yield f"Left out {done['refused']:,} of {done['records']:,} records:"
    for code, count in done["left_out"].items():
        yield f"  {count:,} with {code}"
