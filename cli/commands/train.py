"""train: from a file of rows to an adapter in a folder, in one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.client import Document
from cli.config import is_loopback
from cli.dataset_receipt import NO_TOKENIZER, request_receipt
from cli.dataset_upload import upload_dataset, wait_until_validated
from cli.download_options import Force
from cli.errors import ExitCode, NotReadyError, RefusedError, UsageError
from cli.estimate_display import show_v2
from cli.invocation import Invocation, command
from cli.model_download import download_model, require_empty
from cli.receipt_display import show_receipt
from cli.render import record
from cli.text import money
from cli.training_options import TrainingOptions
from cli.training_watching import watch_training
from cli.verdict_display import headline

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

BUILDING_S = 60.0
"""How long a local system may take to build its tiny base model."""


@command(app, "train")
def train(
    run: Invocation,
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL; its format is detected.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the adapter.")],
    name: Annotated[str | None, typer.Option(help="The name of the job.")] = None,
    options: TrainingOptions,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    force: Force = False,
) -> ExitCode:
    """Upload and validate a file, show receipt and estimate, train, download the adapter.

    Exits 0 when the adapter is in the folder and the hash of every file is verified.
    """
    if run.as_json and not yes:
        raise UsageError("--json cannot prompt.", hint="Add --yes to accept the cost.")
    if not force:
        require_empty(output)
    return _train(run, source, output, options, name=name, agreed=yes)


def _train(
    run: Invocation,
    source: Path,
    output: Path,
    options: TrainingOptions,
    *,
    name: str | None,
    agreed: bool,
) -> ExitCode:
    template_settings = options.template_settings()  # refused before anything is uploaded
    uploaded = upload_dataset(run, source)
    dataset = wait_until_validated(run.client, uploaded["id"])
    _must_be_ready(dataset)
    estimate = ask_estimate(run, dataset["id"], options)
    receipt = ask_receipt(run, dataset["id"], estimate, template_settings)
    if not agreed:
        typer.confirm("Train now?", abort=True)
    job = options.start(run.client, dataset["id"], name)
    run.say(f"Training job {job['id']} on {job['base_model']}")
    ended = watch_training(run.client, job["id"], run.progress_console)
    if not ended.is_success:
        return _answer_failed(run, ended.job)
    files = download_model(run.client, ended.job["model_id"], output, overwrites=True)
    document = {
        "success": True,
        "dataset_id": dataset["id"],
        "trainable_pairs": dataset["trainable_pairs"],
        "receipt": receipt,
        "estimate": estimate,
        "job": ended.job,
        "model_id": ended.job["model_id"],
        "first_loss": ended.losses[0][1] if ended.losses else None,
        "final_loss": ended.losses[-1][1] if ended.losses else None,
        "adapter_path": str(output.resolve()),
        "files": files,
    }
    run.answer(document, lambda console: _show_delivered(console, document))
    return ExitCode.OK


def ask_estimate(run: Invocation, dataset_id: str, options: TrainingOptions) -> Document:
    """Print the estimate of duration and cost."""
    body = {**options.request(run.client), "dataset_id": dataset_id}
    estimate: Document = run.client.post("/api/jobs/estimate", body)["data"]
    run.say("What it will take:")
    if not run.as_json:
        show_v2(run.console, estimate)
    return estimate


def ask_receipt(
    run: Invocation, dataset_id: str, estimate: Document, template_settings: Document
) -> Document | None:
    """Print what the model will see; None if the base model's tokenizer is not available."""
    patience_s = BUILDING_S if is_loopback(run.client.api_url) else 0.0
    try:
        receipt = request_receipt(
            run.client,
            dataset_id,
            estimate,
            template_settings=template_settings,
            rows_shown=1,
            patience_s=patience_s,
        )
    except RefusedError as error:
        if error.code != NO_TOKENIZER:
            raise
        run.say(f"No receipt: {error.message}")
        return None
    run.say("What the model will see:")
    if not run.as_json:
        show_receipt(run.console, receipt)
    return receipt


def _must_be_ready(dataset: Document) -> None:
    if dataset["status"] != "ready":
        raise NotReadyError(
            f"The file is not ready for training: {dataset['error_message']}",
            hint=f"Full report: brightrun dataset report {dataset['id']}",
            code="dataset_not_ready",
            details=[
                {"field": f"line {problem['line']}", "message": problem["message"]}
                for problem in dataset["validation_errors"]
            ],
        )


def _answer_failed(run: Invocation, job: Document) -> ExitCode:
    document = {"success": False, "job": job}
    fields = {name: job[name] for name in ("id", "status", "error_message", "error_hint")}
    fields["cost"] = money(job["final_cost"])
    run.answer(document, lambda console: console.print(record(fields)))
    return ExitCode.JOB_NOT_SUCCESSFUL


def _show_delivered(console: "Console", document: Document) -> None:
    job = document["job"]
    console.print(
        record(
            {
                "verdict": headline((job.get("results") or {}).get("verdict")),
                "adapter": document["adapter_path"],
                "files": f"{len(document['files'])}, every hash verified",
                "training loss": f"{document['first_loss']} -> {document['final_loss']}",
                "cost": money(job["final_cost"]),
                "job": job["id"],
                "model": document["model_id"],
            }
        )
    )
