"""Choosing the conversations of a training file, counting them beforehand, watching its build."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client import ApiClient, Document, segment
from cli.commands.conversations import Filters
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation
from cli.watching import POLL_S, print_changes

if TYPE_CHECKING:
    from rich.console import Console

FILES = "/api/training-files"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How the conversations of a file are chosen, besides their ids and the filters."""

    ids_from: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Ids of conversations, one a line; - is standard input."),
    ] = None
    eligibility: Annotated[
        Literal["enriched", "approved"],
        typer.Option(help="The status that is needed; a severe flag needs an approval anyway."),
    ] = "enriched"
    allow_duplicates: Annotated[
        bool,
        typer.Option(
            "--allow-duplicates", help="Also add conversations that duplicate another one."
        ),
    ] = False
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict/--skip",
            help="Refuse everything if one is not eligible, or skip those. "
            "By default strict with ids, and skipping with filters.",
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only count what is eligible; texts are not compared."),
    ] = False
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--no-watch", help="Wait for a build of many, which goes on without it."
        ),
    ] = True

    def body(self, client: ApiClient, ids: list[str] | None, filters: Filters) -> Document:
        """The selection as the API takes it; raises UsageError for none, and for two of them."""
        named = [*(ids or []), *self._listed()]
        wanted = filters.query(client)
        if bool(named) == bool(wanted):
            raise UsageError("Give either conversations or filters, not both or neither.")
        source: Document = {"conversation_ids": named} if named else {"filter": wanted}
        chosen = {"eligibility": self.eligibility, "allow_duplicates": self.allow_duplicates}
        return source | chosen | ({} if self.strict is None else {"strict": self.strict})

    def _listed(self) -> list[str]:
        if self.ids_from is None:
            return []
        try:
            if self.ids_from == "-":
                text = typer.get_text_stream("stdin").read()
            else:
                text = Path(self.ids_from).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.ids_from} cannot be read: {error}.") from error
        return text.split()


def build(run: Invocation, path: str, body: Document, selection: Document, choice: Choice) -> int:
    """Create or extend a file of a selection, or only count it, as the choice says."""
    if choice.dry_run:
        _answer_preview(run, selection)
        return ExitCode.OK
    # Always a key: a repeated request after a lost answer must not build a second version.
    started = run.client.post(path, body | selection, idempotency_key=str(uuid.uuid4()))
    file_id = started["trainingFile"]["id"]
    if not is_building(started) or not choice.watch:
        run.answer(started, lambda console: console.print(f"{file_id}: {started['message']}"))
        return ExitCode.OK
    run.say(f"{file_id}: {started['message']}")
    return answer_watched(run, file_id)


def is_building(answer: Document) -> bool:
    """Whether a version of the file is being built."""
    newest = answer["trainingFile"].get("build")
    return newest is not None and newest["status"] == "building"


def answer_watched(run: Invocation, file_id: str) -> int:
    """Follow a file's build to its end and print it; the exit code says whether it is ready."""
    last = watch_build(run.client, file_id, run.progress_console)
    run.answer(last, lambda console: console.print(describe(last)))
    failed = (last.get("build") or {}).get("status") == "failed"
    return ExitCode.JOB_NOT_SUCCESSFUL if failed else ExitCode.OK


def watch_build(
    client: ApiClient,
    file_id: str,
    console: "Console | None",
    sleep: Callable[[float], None] = time.sleep,
) -> Document:
    """Poll until no version of the file is being built; returns the last answer.

    Ctrl-C ends the watching, not the build, and raises InterruptedByUserError saying so.
    """
    listen = print_changes(console, describe, describe) if console else None
    try:
        while True:
            answer = client.get(f"{FILES}/{segment(file_id)}")
            if not is_building(answer):
                return answer
            if listen:
                listen(answer)
            sleep(POLL_S)
    except KeyboardInterrupt as interrupt:
        raise InterruptedByUserError(
            f"No longer watching; the build of training file {file_id} goes on by itself.",
            hint=f"See it again with `brightrun training-files watch {file_id}`.",
            details={"trainingFileId": file_id},
        ) from interrupt


def describe(answer: Document) -> str:
    """How far the newest build of a file is, or how it ended, in a sentence or two."""
    file, newest = answer["trainingFile"], answer["trainingFile"].get("build")
    if newest is None or newest["status"] == "ready":
        ready = (
            f"Version {file['version']} holds {file['conversation_count']} conversations with "
            f"{file['trainable_pairs']} trainable pairs."
        )
        return f"{file['id']}: {ready}{_left_out((newest or {}).get('left_out', {}))}"
    if newest["status"] == "failed":
        return f"{file['id']}: Version {newest['version']} was not built. {newest['error']}"
    return f"building version {newest['version']}: {newest['done']}/{newest['total']} conversations"


def _answer_preview(run: Invocation, selection: Document) -> None:
    """Check a selection page by page, and print the sums."""
    left_out: Counter[str] = Counter()
    examples: dict[str, list[Any]] = {}
    asked, eligible, position = 0, 0, 0
    while position is not None:
        page = run.client.post(f"{FILES}/preview", {**selection, "position": position})
        asked, position = page["selected"], page["next_position"]
        eligible += page["eligible"]
        left_out.update(page["left_out"])
        for reason, listed in page["examples"].items():
            examples.setdefault(reason, []).extend(listed)
    document = {
        "success": True,
        "selected": asked,
        "eligible": eligible,
        "left_out": dict(left_out),
        "examples": examples,
    }
    sentence = f"{eligible} of {asked} conversations are eligible.{_left_out(left_out)}"
    note = "Texts are compared when the file is built."
    run.answer(document, lambda console: console.print(f"{sentence} {note}"))


def _left_out(counts: dict[str, int]) -> str:
    listed = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counts.items())
    return f" Left out: {listed}." if listed else ""
