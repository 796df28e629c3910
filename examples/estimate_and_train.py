"""Say what training on a dataset will cost, train an adapter, and download it.

    python -m examples.estimate_and_train DATASET_ID adapter

The base model is the registry's default on one H100; a local system trains its own tiny model on
this machine's processor.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2

from examples.api import connect, save

POLL_S = 2.0
ENDED = {"completed", "failed", "cancelled"}


def main() -> int:
    """Estimate, train, download."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset_id")
    parser.add_argument("output", type=Path, help="the folder for the adapter")
    parser.add_argument(
        "--allow-simulated", action="store_true", help="also on what the local simulator wrote"
    )
    arguments = parser.parse_args()
    with connect() as api:
        request = {"dataset_id": arguments.dataset_id, **training_request(api)}
        estimate = api.post("/api/jobs/estimate", json=request).json()["data"]
        if not estimate["trainable"]:
            print("\n".join(estimate["not_trainable_because"]), file=sys.stderr)
            return 1
        hours, cost = estimate["estimated_duration_hours"], estimate["cost_usd"]
        print(f"Estimate: {hours:.2f} h, {cost['p50']:.2f} USD; 9 of 10 within {cost['p90']:.2f}")
        request["allow_simulated"] = arguments.allow_simulated
        # With a key of its own, a request that got no answer can be repeated without a second job.
        headers = {"idempotency-key": str(uuid.uuid4())}
        started = api.post("/api/jobs", json=request, headers=headers).json()["data"]
        job = follow(api, started["id"])
        print(f"Job {job['id']}: {job['status']}, {job['final_cost']} USD")
        if job["status"] != "completed":
            print(job["error_message"], file=sys.stderr)
            return 1
        download(api, job["model_id"], arguments.output)
    return 0


def training_request(api: httpx2.Client) -> dict[str, Any]:
    """What an estimate and a job have in common."""
    models = api.get("/api/base-models").json()["data"]["base_models"]
    tiny = next((model["key"] for model in models if model["local_only"]), None)
    if tiny is None:
        return {"preset_id": "balanced", "gpu_config": {"type": "H100", "count": 1}}
    return {
        "base_model": tiny,
        "preset_id": "fast",
        "gpu_config": {"type": "local-cpu", "count": 1},
    }


def follow(api: httpx2.Client, job_id: str) -> dict[str, Any]:
    """Wait until the job has ended and its bill is closed."""
    while True:
        job: dict[str, Any] = api.get(f"/api/jobs/{job_id}").json()["data"]["job"]
        if job["status"] in ENDED and job["settled"]:
            return job
        time.sleep(POLL_S)


def download(api: httpx2.Client, model_id: str, folder: Path) -> None:
    """Save every file of the adapter and compare its hash with the promised one."""
    answer = api.post(f"/api/models/{model_id}/download", json={}).json()["data"]
    folder.mkdir(parents=True, exist_ok=True)
    for file in answer["files"]:
        target = folder / Path(file["name"]).name
        save(answer["download_urls"][file["name"]], target)
        if hashlib.sha256(target.read_bytes()).hexdigest() != file["sha256"]:
            sys.exit(f"{target} is not the file that was promised; download it again.")
    print(f"{len(answer['files'])} files in {folder}")


if __name__ == "__main__":
    sys.exit(main())
