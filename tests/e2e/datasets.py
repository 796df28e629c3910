"""Datasets of rows that no model wrote, for tests that train on them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cli.dataset_upload import wait_until_validated
from cli.upload import send_file
from tests.e2e.conftest import Installation

CONVERSATIONS = 16
EXCHANGES = 3


def write_rows(path: Path) -> Path:
    """Write rows of `messages`, every conversation with words of its own; returns the path."""
    lines = []
    for number in range(CONVERSATIONS):
        messages = [{"role": "system", "content": "You help people with their money, kindly."}]
        for turn in range(EXCHANGES):
            worry = hashlib.sha256(f"{number} {turn}".encode()).hexdigest()
            messages += [
                {"role": "user", "content": f"I worry about account {worry[:12]} in week {turn}."},
                {"role": "assistant", "content": f"That is common. Look at {worry[12:24]} first."},
            ]
        lines.append(json.dumps({"messages": messages}))
    path.write_text("\n".join(lines) + "\n")
    return path


def ready_dataset(system: Installation, rows: Path) -> dict[str, Any]:
    """Upload a file of rows, and return its dataset once it is validated."""
    body = {"name": "rows", "file_name": rows.name, "file_size": rows.stat().st_size}
    created = system.client.post("/api/datasets", body)["data"]
    dataset_id = created["dataset"]["id"]
    send_file(system.client, dataset_id, created["upload"], rows, lambda _: None)
    system.client.post(f"/api/datasets/{dataset_id}/confirm")
    dataset = wait_until_validated(system.client, dataset_id)
    assert dataset["status"] == "ready", dataset
    return dataset
