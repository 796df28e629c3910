"""job create, list, show, watch, metrics, events, cancel."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client import Document, segment
from cli.errors import ExitCode
from cli.invocation import Invocation, command
from cli.listing import Page, answer_list
from cli.render import Column, record
from cli.text import format_time, money, number
from cli.training_options import TrainingOptions
from cli.training_watching import watch_training
from cli.verdict_display import verdict_fields
from cli.watching import POLL_S

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="The training jobs: start, watch, inspect, cancel.")

JOBS = "/api/jobs"
JobId = Annotated[str, typer.Argument(metavar="ID", help="The training job.")]
Status = Literal["queued", "initializing", "running", "completed", "failed", "cancelled"]

COLUMNS = (
    Column("Id", "id", whole=True, stack="record"),
    Column("Name", "name", stack="record"),
    Column("Status", "status", stack="state"),
    Column("Stage", "current_stage", stack="state"),
    Column("Queued", "queued_at", format_time, stack="state"),
    Column("Base model", "base_model", stack="model"),
    Column("Step", "current_step", number, stack="progress"),
    Column("Of", "total_steps", number, stack="progress"),
    Column("Cost", "final_cost", money),
)
POINT_COLUMNS = (
    Column("Step", "step"),
    Column("Epoch", "epoch"),
    Column("Loss", "training_loss"),
    Column("Validation", "validation_loss"),
    Column("Learning rate", "learning_rate"),
    Column("Gradient", "gradient_norm"),
    Column("Tokens/s", "throughput"),
    Column("Stage", "stage"),
)
EVENT_COLUMNS = (
    Column("When", "created_at", format_time),
    Column("Level", "level"),
    Column("Type", "type"),
    Column("Message", "message"),
)
FIELDS = (
    "id",
    "name",
    "status",
    "current_stage",
    "stage_reason",
    "next_try_at",
    "base_model",
    "dataset_id",
    "preset_id",
    "progress",
    "current_step",
    "total_steps",
    "current_epoch",
    "queued_at",
    "started_at",
    "completed_at",
    "estimated_completion_at",
    "stopped_reason",
    "error_message",
    "error_hint",
    "model_id",
)


@command(app, "create")
def create_job(
    run: Invocation,
    *,
    dataset: Annotated[str, typer.Option("--dataset", metavar="ID", help="A ready dataset.")],
    name: Annotated[str | None, typer.Option(help="The name of the job.")] = None,
    options: TrainingOptions,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
) -> ExitCode:
    """Start training an adapter on a dataset."""
    job = options.start(run.client, dataset, name)
    if watch:
        job = watch_training(run.client, job["id"], run.progress_console).job
    return _answer_one(run, job)


@command(app, "list")
def list_jobs(
    run: Invocation,
    *,
    status: Annotated[Status | None, typer.Option(help="Only those of this status.")] = None,
    page: Page,
) -> None:
    """List the training jobs, newest first."""
    answer_list(
        run,
        JOBS,
        "jobs",
        COLUMNS,
        page,
        filters={"status": status},
    )


@command(app, "show")
def show_job(run: Invocation, job_id: JobId) -> None:
    """Show a training job with its cost records."""
    answer = run.client.get(f"{JOBS}/{segment(job_id)}")
    run.answer(answer, lambda console: _show(console, answer["data"]["job"]))


@command(app, "watch")
def watch_job(
    run: Invocation,
    *,
    job_id: JobId,
    interval: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two requests.")
    ] = POLL_S,
) -> ExitCode:
    """Follow a job and its loss until it ends: exits 0 if completed, 1 otherwise."""
    last = watch_training(run.client, job_id, run.progress_console, interval)
    return _answer_one(run, last.job)


@command(app, "metrics")
def list_metrics(
    run: Invocation,
    *,
    job_id: JobId,
    page: Page,
) -> None:
    """List the metrics of a job, step by step."""
    path = f"{JOBS}/{segment(job_id)}/metrics"
    answer_list(run, path, "metrics", POINT_COLUMNS, page)


@command(app, "events")
def list_events(
    run: Invocation,
    *,
    job_id: JobId,
    page: Page,
) -> None:
    """List the events of a job."""
    path = f"{JOBS}/{segment(job_id)}/events"
    answer_list(run, path, "events", EVENT_COLUMNS, page)


@command(app, "cancel")
def cancel_job(run: Invocation, job_id: JobId) -> None:
    """Cancel a job; billing ends when SageMaker has stopped it."""
    answer = run.client.post(f"{JOBS}/{segment(job_id)}/cancel")
    run.answer(answer, lambda console: _show(console, answer["data"]))


def _answer_one(run: Invocation, job: Document) -> ExitCode:
    run.answer({"success": True, "data": job}, lambda console: _show(console, job))
    ended_badly = job["status"] in {"failed", "cancelled"}
    return ExitCode.JOB_NOT_SUCCESSFUL if ended_badly else ExitCode.OK


def _show(console: "Console", job: dict[str, Any]) -> None:
    results = job.get("results") or {}
    verdict = verdict_fields(results.get("verdict"), results.get("held_out"))
    fields = {**verdict, **{name: job.get(name) for name in FIELDS}}
    console.print(record({**fields, "cost": cost_of(job)}))


def cost_of(job: Document) -> str:
    """The price of a job in one line: what it cost, or so far and at the end, and its limit."""
    limit = job.get("max_cost_usd")
    limited = "" if limit is None else f"; it stops before {money(limit)}"
    if job["final_cost"] is not None:
        return money(job["final_cost"])
    return (
        f"{money(job['current_cost'])} so far, "
        f"estimated at {money(job['estimated_total_cost'])} in the end{limited}"
    )
