"""validate: the format and all problems of a training file, without a server."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.private_files import explained
from cli.render import Column, record, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from rich.console import Console

    from brightrun.validation.tokens import Tokenizer

app = typer.Typer()

FIELDS = (
    "status",
    "format",
    "detected_by",
    "records",
    "refused",
    "trainable_pairs",
    "total_training_pairs",
    "total_tokens",
    "tokens_method",
    "conversations",
    "avg_turns_per_conversation",
    "tokens_per_conversation",
    "tokens_per_pair",
    "split",
    "duplicates",
    "near_duplicates",
    "error_count",
    "warning_count",
    "bytes",
    "sha256",
)
MAX_PROBLEMS = 20
MOST_EXTRA_PROCESSES = 2
SUMMARY_COLUMNS = (
    Column("Code", "code", whole=True),
    Column("Severity", "severity"),
    Column("Count", "count"),
    Column("First lines", "lines"),
)
PROBLEM_COLUMNS = (
    Column("Line", "line"),
    Column("At", "pointer"),
    Column("Problem", "message"),
    Column("How to fix it", "hint"),
)


@command(app, "validate")
def validate_training_file(
    run: Invocation,
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="Its format is detected.")],
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="The model's token limit, to find examples that exceed it."),
    ] = None,
    block: Annotated[
        list[str] | None,
        typer.Option("--block", metavar="CODE", help="Count this warning as an error."),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="A base model's folder, to count tokens with its tokenizer."
        ),
    ] = None,
) -> int:
    """Check a training file offline; exits 0 if ready, 1 if not, 2 if it is no training file."""
    from brightrun.validation.validator import Options, validate

    options: dict[str, Any] = {
        "max_tokens": max_tokens,
        "block": block or (),
        "extra_processes": _extra_processes(),
    }
    if tokenizer is not None:
        options["tokenizer"] = _counting_with(tokenizer)
    try:
        with _opened(run, source) as stream:
            result = validate(stream, Options(**options))
    except ValueError as error:
        raise UsageError(str(error)) from error
    document = {"success": result.status == "ready", "file": str(source), **result.as_dict()}
    run.answer(document, lambda console: _show(console, document))
    return result.exit_code


def _extra_processes() -> int:
    """The number of extra processes: the spare CPUs, up to what one reader can keep busy.

    They are forked, which only Linux does safely at any time.
    """
    if sys.platform != "linux":
        return 0
    return min(len(os.sched_getaffinity(0)) - 1, MOST_EXTRA_PROCESSES)


def _counting_with(folder: Path) -> "Tokenizer":
    from brightrun.sft.errors import ModelError
    from brightrun.sft.tokenizer import OfflineTokenizer
    from brightrun.validation.tokens import Tokenizer

    try:
        offline = OfflineTokenizer(folder)
    except ModelError as error:
        raise UsageError(str(error)) from error
    return Tokenizer(
        f"tokenizer of {folder.resolve().name}", lambda text: len(offline.encode(text))
    )


@contextmanager
def _opened(run: Invocation, source: Path) -> "Iterator[BinaryIO]":
    """Open a file for reading, with a bar on a terminal: half a gigabyte takes seconds."""
    with explained("read", source), source.open("rb") as stream:
        console = run.progress_console
        if console is None or not console.is_terminal:
            yield stream
            return
        from rich.progress import wrap_file

        size = source.stat().st_size
        with wrap_file(stream, size, console=console, description="Validating") as watched:
            yield watched


def _show(console: "Console", document: dict[str, Any]) -> None:
    console.print(record({name: document[name] for name in FIELDS}))
    if document["summary"]:
        console.print(table(document["summary"], SUMMARY_COLUMNS, width=console.width))
    problems = [*document["errors"], *document["warnings"]]
    if problems:
        console.print(table(problems[:MAX_PROBLEMS], PROBLEM_COLUMNS, width=console.width))
    if len(problems) > MAX_PROBLEMS:
        console.print("There are more; see --json.")
