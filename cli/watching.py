"""What watching a batch and watching a training job have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from cli.errors import InterruptedByUserError

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
POLL_S = 1.0  # one GetItem a second: a fraction of a cent for the longest job


@contextmanager
def leave_running(noun: str, group: str, details: dict[str, str]) -> Iterator[None]:
    """Let Ctrl-C end the watching only: InterruptedByUserError says that the job runs on.

    `group` is the name of its commands; `details` holds the job's id under its name in the API.
    """
    (job_id,) = details.values()
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise InterruptedByUserError(
            f"No longer watching; {noun} {job_id} goes on by itself.",
            hint=f"See it again with `brightrun {group} watch {job_id}`, end it with "
            f"`brightrun {group} cancel {job_id}`.",
            details=details,
        ) from interrupt


def print_changes(
    console: "Console", describe: Callable[[T], str], key: Callable[[T], object]
) -> Callable[[T], None]:
    """Make a listener that prints an update if its `key` is not that of the one before."""
    last: list[object] = []

    def listen(update: T) -> None:
        if last != [key(update)]:
            console.print(describe(update), soft_wrap=True)
            last[:] = [key(update)]

    return listen
