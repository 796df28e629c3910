"""batch pause, resume, cancel, retry-failed."""

from typing import Annotated, Any

import typer

from cli.client import Document, segment
from cli.invocation import Invocation, command
from cli.text import plain

app = typer.Typer()

JobId = Annotated[str, typer.Argument(metavar="ID", help="The batch.")]


@command(app, "pause")
def pause_batch(run: Invocation, job_id: JobId) -> None:
    """Pause a batch; conversations in flight are finished."""
    _act(run, job_id, "pause")


@command(app, "resume")
def resume_batch(
    run: Invocation,
    *,
    job_id: JobId,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0.0001, metavar="USD", help="A higher cap than the batch had."),
    ] = None,
) -> None:
    """Resume a batch that was paused, or one that ended at its cap."""
    _act(run, job_id, "resume", **({"max_cost_usd": max_cost} if max_cost else {}))


@command(app, "cancel")
def cancel_batch(run: Invocation, job_id: JobId) -> None:
    """Cancel a batch; conversations that succeeded are kept."""
    _act(run, job_id, "cancel")


@command(app, "retry-failed")
def retry_failed(run: Invocation, job_id: JobId) -> None:
    """Put the failed conversations of a batch back in the queue."""
    _answer(run, run.client.post(f"/api/batch-jobs/{segment(job_id)}/retry-failed"))


def _act(run: Invocation, job_id: str, action: str, **more: Any) -> None:
    path = f"/api/conversations/batch/{segment(job_id)}"
    _answer(run, run.client.patch(path, {"action": action, **more}))


def _answer(run: Invocation, answer: Document) -> None:
    run.answer(answer, lambda console: console.print(plain(answer["message"])))
