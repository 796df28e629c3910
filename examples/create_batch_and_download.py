"""Write four conversations, make a training file of them, and download it as JSON Lines.

python -m examples.create_batch_and_download training.jsonl
"""

from __future__ import annotations

import argparse
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2

from examples.api import connect, save

SELECTION = {
    "personas": ["overwhelmed_avoider", "anxious_planner"],
    "emotional_arcs": ["confusion_to_clarity"],
    "training_topics": ["roth_ira_conversion", "student_loan_payoff"],
}
"""Two personas, one arc and two topics: every combination is a conversation."""
ENDED = {"completed", "failed", "cancelled"}
ENRICHED = {"completed", "validation_failed", "normalization_failed"}
POLL_S = 1.0


def main() -> None:
    """Create the batch, follow it, and save its training file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="where the training file goes")
    arguments = parser.parse_args()
    with connect() as api:
        job_id = api.post(
            "/api/conversations/generate-batch",
            json={"name": "Example", "selection": SELECTION},
            # A request that got no answer can be repeated with its key, and is paid for once.
            headers={"idempotency-key": str(uuid.uuid4())},
        ).json()["jobId"]
        print(f"Batch {job_id} with {follow(api, job_id)} conversations")
        written = enriched(api, job_id)
        file = api.post(
            "/api/training-files",
            json={
                "name": f"Example {job_id}",
                "conversation_ids": [one["conversation_id"] for one in written],
            },
        ).json()["trainingFile"]
        link = api.get(f"/api/training-files/{file['id']}/download", params={"format": "jsonl"})
        save(link.json()["download_url"], arguments.output)
        print(f"{file['trainable_pairs']} trainable pairs in {arguments.output}")


def follow(api: httpx2.Client, job_id: str) -> int:
    """Wait until the batch has ended; how many conversations it wrote."""
    while True:
        job = api.get(f"/api/conversations/batch/{job_id}/status").json()
        if job["status"] in ENDED:
            return int(job["progress"]["successful"])
        time.sleep(POLL_S)


def enriched(api: httpx2.Client, job_id: str) -> list[dict[str, Any]]:
    """Wait until every conversation of the batch was checked and scored; those fit to train on."""
    while True:
        answer = api.get("/api/conversations", params={"batch_job_id": job_id, "limit": 100})
        found = answer.json()["conversations"]
        if all(one["enrichment_status"] in ENRICHED for one in found):
            return [one for one in found if fits(one)]
        time.sleep(POLL_S)


def fits(conversation: dict[str, Any]) -> bool:
    """Whether a training file takes the conversation without a review: severe flags need one."""
    return conversation["enrichment_status"] == "completed" and not conversation["severe_flags"]


if __name__ == "__main__":
    main()
