"""The demo's last part: train an adapter on this machine and download it."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client import ApiClient
from cli.dataset_receipt import request_receipt
from cli.model_download import download_model
from cli.render import record
from cli.text import money
from cli.training_options import LOCAL_GPU, local_model
from cli.training_watching import watch_training
from cli.verdict_display import headline
from local.errors import LocalError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client import Document

# Enough steps for the loss of a model that knows nothing to fall where everybody can see it.
HYPERPARAMETERS = {
    "learning_rate": 1e-3,
    "batch_size": 8,
    "epochs": 4,
    "rank": 8,
    "alpha": 16,
    "dropout": 0.0,
}
BUILT_WITHIN_S = 120.0
"""How long the tiny base model may take, which the system builds in its first seconds."""

RECEIPT_FIELDS = ("rows", "pairs", "total_tokens", "trainable_tokens", "tokens_per_epoch")


def train_an_adapter(
    client: ApiClient, console: "Console", dataset_id: str, folder: Path
) -> dict[str, Any]:
    """Show the receipt and the estimate, train, download the adapter and verify its hashes.

    Raises LocalError when the job does not end with an adapter.
    """
    console.rule("Training")
    wanted: Document = {
        "dataset_id": dataset_id,
        "base_model": local_model(client),
        "preset_id": "custom",
        "hyperparameters": HYPERPARAMETERS,
        "gpu_config": {"type": LOCAL_GPU, "count": 1},
    }
    estimate = client.post("/api/jobs/estimate", wanted)["data"]
    receipt = request_receipt(client, dataset_id, estimate, patience_s=BUILT_WITHIN_S)
    console.print(record({name: receipt[name] for name in RECEIPT_FIELDS}))
    # The simulator's conversations teach a model nothing; the demo shows that they can.
    order = {**wanted, "name": "Demo", "allow_simulated": True}
    job = client.post("/api/jobs", order, idempotency_key=str(uuid.uuid4()))["data"]
    ended = watch_training(client, job["id"], console)
    if not ended.is_success:
        raise LocalError(
            f"The training ended {ended.job['status']}: {ended.job['error_message']} "
            f"{ended.job['error_hint'] or ''}"
        )
    adapter = folder / "adapters" / job["id"]
    files = download_model(client, ended.job["model_id"], adapter)
    console.print(headline(ended.job["results"].get("verdict")))
    console.print(
        f"Adapter of {len(files)} files in {adapter}, every hash verified; "
        f"training loss {ended.losses[0][1]:.3f} -> {ended.losses[-1][1]:.3f}, "
        f"cost {money(ended.job['final_cost'])}."
    )
    return {
        "training_job_id": job["id"],
        "base_model": job["base_model"],
        "first_loss": ended.losses[0][1],
        "final_loss": ended.losses[-1][1],
        "adapter_path": str(adapter.resolve()),
        "estimated_seconds": round(estimate["billed_seconds"]["p50"], 1),
        "actual_seconds": ended.job["billed_seconds"],
    }
