"""Requesting the receipt of a dataset: what a base model will see of it."""

import time

from cli.client import ApiClient, Document, segment
from cli.errors import RefusedError

SHARED_SETTINGS = ("epochs", "batch_size", "max_seq_length")

POLL_S = 1.0
NO_TOKENIZER = "tokenizer_missing"


def request_receipt(
    client: ApiClient,
    dataset_id: str,
    estimate: Document,
    *,
    template_settings: Document | None = None,
    rows_shown: int = 0,
    patience_s: float = 0.0,
) -> Document:
    """Ask for the receipt of a dataset with the model and the settings that were estimated.

    `template_settings` are the job's template_variables and template_date, where it has any.
    A local system builds its tiny base model in its first seconds: for up to `patience_s` a missing
    tokenizer is waited for. Raises RefusedError of the code NO_TOKENIZER when there is none.
    """
    body: Document = {name: estimate["hyperparameters"][name] for name in SHARED_SETTINGS}
    body |= {"base_model": estimate["base_model"], "rows_shown": rows_shown}
    body |= template_settings or {}
    waited = 0.0
    while True:
        try:
            path = f"/api/datasets/{segment(dataset_id)}/receipt"
            receipt: Document = client.post(path, body)["data"]
            return receipt
        except RefusedError as error:
            if error.code != NO_TOKENIZER or waited >= patience_s:
                raise
        time.sleep(POLL_S)
        waited += POLL_S
