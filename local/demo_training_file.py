"""The demo's second part: a training file from the stored conversations."""

import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client import ApiClient
from cli.download import save_link
from cli.render import Column, table
from local.errors import LocalError

if TYPE_CHECKING:
    from rich.console import Console

GOOD_ENOUGH = 3.5
"""The score from which on a conversation is fit for production; below, it needs a human review."""
ENRICHED_WITHIN_S = 30.0
POLL_S = 0.5
DONE = {"completed", "validation_failed", "normalization_failed"}
COLUMNS = (
    Column("Conversation", "conversation_id", whole=True),
    Column("Quality", "quality_score"),
    Column("Tier", "quality_tier"),
    Column("Flags", "flags"),
    Column("Enrichment", "enrichment_status"),
)

Conversation = Mapping[str, Any]


def make_training_file(
    client: ApiClient, console: "Console", job_id: str, folder: Path
) -> dict[str, Any]:
    """Approve the batch's good conversations by rule, create a file of them, download its JSONL.

    Raises LocalError when the conversations are not enriched in time, or none passes the rule.
    """
    console.rule("Training file")
    conversations = enriched_conversations(client, job_id)
    console.print(table(conversations, COLUMNS, width=console.width))
    chosen = [one for one in conversations if passes(one)]
    console.print(
        f"{len(chosen)} of {len(conversations)} conversations pass the rule: a score of "
        f"{GOOD_ENOUGH} or more, and no flag."
    )
    if not chosen:
        raise LocalError("No conversation of the demo is good enough for a training file.")
    for one in chosen:
        approve(client, one)
    file = create_file(client, job_id, chosen)
    link = client.get(f"/api/training-files/{file['id']}/download", {"format": "jsonl"})
    jsonl = save_link(link, folder / f"training-{file['id']}.jsonl", client.retry)
    console.print(
        f"Training file {file['id']}, version {file['version']}: "
        f"{file['conversation_count']} conversations, {file['total_training_pairs']} pairs, "
        f"{file['trainable_pairs']} of them trainable. Saved {jsonl} ({link['file_size']} bytes)."
    )
    return {
        "training_file_id": file["id"],
        "conversations_in_file": file["conversation_count"],
        "training_pairs": file["total_training_pairs"],
        "trainable_pairs": file["trainable_pairs"],
        "jsonl_path": str(jsonl.resolve()),
    }


def enriched_conversations(client: ApiClient, job_id: str) -> list[Conversation]:
    """Wait until every conversation of the batch is enriched."""
    deadline = time.monotonic() + ENRICHED_WITHIN_S
    while True:
        pages = client.pages("/api/conversations", "conversations", {"batch_job_id": job_id})
        conversations = [one for page in pages for one in page["conversations"]]
        if all(one["enrichment_status"] in DONE for one in conversations):
            return conversations
        if time.monotonic() > deadline:
            raise LocalError(f"The batch was not enriched within {ENRICHED_WITHIN_S:.0f} s.")
        time.sleep(POLL_S)


def passes(conversation: Conversation) -> bool:
    """The rule by which the demo approves a conversation without a human review."""
    score = conversation["quality_score"]
    return score is not None and score >= GOOD_ENOUGH and not conversation["flags"]


def approve(client: ApiClient, conversation: Conversation) -> None:
    """Approve a conversation; the audit trail says that a rule did."""
    client.patch(
        f"/api/conversations/{conversation['conversation_id']}/status",
        {
            "status": "approved",
            "review_notes": f"By the demo's rule: scored {conversation['quality_score']}, no flag.",
        },
    )


def create_file(client: ApiClient, job_id: str, chosen: Sequence[Conversation]) -> dict[str, Any]:
    """Create the training file, named after the batch so that each demo has its own."""
    body = {
        "name": f"Demo {job_id}",
        "conversation_ids": [one["conversation_id"] for one in chosen],
        "eligibility": "approved",
    }
    key = str(uuid.uuid4())
    made = client.post("/api/training-files", body, idempotency_key=key)
    file: dict[str, Any] = made["trainingFile"]
    return file
