"""Upload a JSON Lines file as a dataset and print what the validator found.

    python -m examples.upload_and_validate_dataset rows.jsonl

The exit code is 0 for a dataset that can be trained on, 1 for one that cannot.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from cli.config import is_loopback
from examples.api import TIMEOUT_S, connect

POLL_S = 1.0


def main() -> int:
    """Upload, confirm, wait for the validation, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="a file of rows in any supported format")
    source: Path = parser.parse_args().source
    with connect() as api:
        body = {"name": source.stem, "file_name": source.name, "file_size": source.stat().st_size}
        created = api.post("/api/datasets", json=body).json()["data"]
        send(created["upload"], source)
        dataset = validated(api, created["dataset"]["id"])
    print(f"Dataset {dataset['id']}: {dataset['status']}")
    if dataset["status"] == "ready":
        print(f"{dataset['trainable_pairs']} trainable pairs, {dataset['total_tokens']} tokens")
        return 0
    for problem in dataset["validation_errors"]:
        print(f"line {problem['line']}: {problem['message']}")
    return 1


def send(plan: dict[str, Any], source: Path) -> None:
    """Put the file where the plan says: a small one whole, a large one part by part."""
    with source.open("rb") as file:
        if plan["method"] == "put":
            put(plan["url"], file.read(), plan["headers"])
            return
        for part in plan["parts"]:
            file.seek((part["part_number"] - 1) * plan["part_size"])
            put(part["url"], file.read(plan["part_size"]), {})


def put(url: str, content: bytes, headers: dict[str, str]) -> None:
    """Send one piece to its signed link, which takes no token."""
    answer = httpx2.put(
        url, content=content, headers=headers, timeout=TIMEOUT_S, trust_env=not is_loopback(url)
    )
    answer.raise_for_status()


def validated(api: httpx2.Client, dataset_id: str) -> dict[str, Any]:
    """Confirm the upload and wait until the dataset is ready or in error."""
    dataset: dict[str, Any] = api.post(f"/api/datasets/{dataset_id}/confirm").json()["data"]
    while dataset["status"] not in {"ready", "error"}:
        time.sleep(POLL_S)
        dataset = api.get(f"/api/datasets/{dataset_id}").json()["data"]
    return dataset


if __name__ == "__main__":
    sys.exit(main())
