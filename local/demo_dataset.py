"""The demo's third part: a validated dataset from the training file."""

from typing import TYPE_CHECKING, Any

from cli.client import ApiClient
from cli.dataset_upload import wait_until_validated
from cli.render import record
from local.errors import LocalError

if TYPE_CHECKING:
    from rich.console import Console

FIELDS = (
    "id",
    "status",
    "format",
    "total_training_pairs",
    "trainable_pairs",
    "total_validation_pairs",
    "total_tokens",
    "tokens_method",
    "simulated",
    "sha256",
)


def make_dataset(client: ApiClient, console: "Console", training_file_id: str) -> dict[str, Any]:
    """Import the training file as a dataset and wait until it is validated.

    Raises LocalError when the validator finds it not ready, with the first problem.
    """
    console.rule("Dataset")
    created = client.post(
        "/api/datasets/import-from-training-file", {"training_file_id": training_file_id}
    )["data"]
    dataset = wait_until_validated(client, created["id"])
    console.print(record({name: dataset[name] for name in FIELDS}))
    if dataset["status"] != "ready":
        raise LocalError(f"The demo's dataset is not ready: {dataset['error_message']}")
    return {
        "dataset_id": dataset["id"],
        "dataset_status": dataset["status"],
        "dataset_tokens": dataset["total_tokens"],
    }
