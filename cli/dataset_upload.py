"""From a file on this machine to a validated dataset, with progress on the way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.client import ApiClient, Document, segment
from cli.errors import CliError, UsageError
from cli.invocation import Invocation
from cli.private_files import explained

if TYPE_CHECKING:
    from rich.console import Console

    from cli.upload import Progress

DATASETS = "/api/datasets"
POLL_S = 1.0
BETWEEN_LINES_S = 5.0


def upload_dataset(
    run: Invocation,
    source: Path,
    *,
    name: str | None = None,
    description: str = "",
    resume: str | None = None,
) -> Document:
    """Upload a file as a new dataset, or resume the interrupted upload of one, and confirm it.

    Raises UsageError for a file that cannot be read, is empty, or is not the one of the upload; an
    error of an interrupted upload says how to resume it.
    """
    from cli.upload import send_file, upload_plan

    with explained("read", source):
        size = source.stat().st_size
    if size == 0:
        raise UsageError(f"{source} is empty.")
    if resume is None:
        body = {
            "name": name or source.stem[:200],
            "description": description,
            "file_name": source.name,
            "file_size": size,
        }
        created = run.client.post(DATASETS, body)["data"]
        dataset, plan = created["dataset"], created["upload"]
    else:
        dataset = run.client.get(f"{DATASETS}/{segment(resume)}")["data"]
        _must_be_the_same(source, size, dataset)
        plan = upload_plan(run.client, resume)
    try:
        with _progress(run.progress_console, size) as on_progress:
            send_file(run.client, dataset["id"], plan, source, on_progress)
    except CliError as error:
        error.hint = f"Go on with: brightrun dataset upload {source} --resume {dataset['id']}"
        raise
    run.say(f"Dataset {dataset['id']}: uploaded, being validated")
    confirmed: Document = run.client.post(f"{DATASETS}/{segment(dataset['id'])}/confirm")["data"]
    return confirmed


def wait_until_validated(client: ApiClient, dataset_id: str) -> Document:
    """Poll until a dataset is ready or in error; the validation's own limits are the time limit."""
    while True:
        dataset: Document = client.get(f"{DATASETS}/{segment(dataset_id)}")["data"]
        if dataset["status"] in {"ready", "error"}:
            return dataset
        time.sleep(POLL_S)


def _must_be_the_same(source: Path, size: int, dataset: Document) -> None:
    if dataset["file_size"] != size:
        raise UsageError(
            f"{source} has {size} bytes, but the upload to resume is of a file with "
            f"{dataset['file_size']}.",
            hint="Begin a new upload without --resume.",
        )


@contextmanager
def _progress(console: "Console | None", size: int) -> "Iterator[Progress]":
    if console is None:
        yield lambda _: None
    elif not console.is_terminal:
        yield _lines(console, size)
    else:
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        with Progress(
            BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
        ) as bars:
            bar = bars.add_task("upload", total=size)
            yield lambda sent: bars.update(bar, completed=sent)


def _lines(console: "Console", size: int) -> "Progress":
    told_at = time.monotonic()

    def show(sent: int) -> None:
        nonlocal told_at
        if sent == size or time.monotonic() - told_at >= BETWEEN_LINES_S:
            told_at = time.monotonic()
            console.print(f"Sent {sent} of {size} bytes")

    return show
