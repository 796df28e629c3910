"""What the fake system knows of datasets and training: one dataset, one job, one model."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from cli.receipt_display import FIGURES
from tests.cli.fake_system import Answer, FakeSystem, Json, Recorded, problem

DATASET = "0190a000-0000-7000-8000-00000000000a"
JOB = "0190a000-0000-7000-8000-00000000000b"
MODEL = "55555555-0000-5000-8000-000000000001"
PART_BYTES = 4
ADAPTER = {"adapter_model.safetensors": b"weights", "README.md": b"# Card"}

READY: Json = {
    "id": DATASET,
    "name": "rows",
    "status": "ready",
    "format": "brightrun_lora_v4",
    "file_name": "rows.jsonl",
    "file_size": 10,
    "created_at": "2026-11-21T10:00:00.000Z",
    "trainable_pairs": 44,
    "total_training_pairs": 44,
    "total_validation_pairs": 0,
    "total_tokens": 9000,
    "tokens_method": "estimated",
    "simulated": False,
    "sha256": "ab" * 32,
    "validation_errors": [],
    "validation_warnings": [],
    "error_message": None,
}
BROKEN: Json = {
    **READY,
    "status": "error",
    "error_message": "Found 1 error in line 1: This is not JSON.",
    "validation_errors": [
        {"line": 3, "code": "not_json", "message": "is not JSON", "hint": "Write one object."}
    ],
}
WORSE: Json = {
    "outcome": "worse",
    "quality": "poor",
    "score": 1,
    "headline": "Worse than its base: held-out loss 3.897 against 1.087 of the base.",
    "basis": "The loss on 12 held-out pairs.",
}
HELD_OUT: Json = {"pairs": 12, "conversations": 8, "tokens": 900, "method": "95 % interval"}
COMPLETED: Json = {
    "id": JOB,
    "name": "Demo",
    "status": "completed",
    "current_stage": "done",
    "stage_reason": None,
    "base_model": "brightrun-tiny",
    "dataset_id": DATASET,
    "current_step": 21,
    "total_steps": 21,
    "queued_at": "2026-11-21T10:00:00.000Z",
    "current_cost": 0.01,
    "estimated_total_cost": 12.3,
    "final_cost": 0.02,
    "billed_seconds": 20,
    "settled": True,
    "error_message": None,
    "error_hint": None,
    "model_id": MODEL,
    "results": {"verdict": WORSE, "held_out": HELD_OUT},
}
RUNNING: Json = {
    **COMPLETED,
    "status": "running",
    "current_stage": "training",
    "current_step": 10,
    "final_cost": None,
    "settled": False,
    "model_id": None,
    "results": {},
}
FAILED: Json = {
    **RUNNING,
    "settled": True,
    "final_cost": 0.02,
    "status": "failed",
    "error_message": "OutOfMemoryError: CUDA out of memory.",
    "error_hint": "Lower the batch size or the rank.",
    "model_id": None,
}
POINTS = [
    {
        "sequence": number,
        "step": number + 1,
        "epoch": 0.5,
        "stage": "training",
        "training_loss": 6.0 - number / 1000,
        "validation_loss": 5.5 if number == 1199 else None,
        "learning_rate": 1e-3,
        "gradient_norm": 0.5,
        "throughput": 900.0,
    }
    for number in range(1200)
]
RECEIPT: Json = {
    **dict.fromkeys(FIGURES),
    "method": "exact",
    "rows": 44,
    "trainable_tokens": 9000,
    "rows_without_trainable_tokens": 0,
    "dropped": {"too_long": 0},
    "template": {"name": "chatml", "file": "t.jinja", "sha256": "ab" * 32, "opening": "{% for"},
    "special_tokens_in_content": [],
    "shown": [
        {
            "line": 2,
            "conversation_id": "c-1",
            "side": "train",
            "tokens": 30,
            "trained_tokens": 9,
            "turns_dropped": 0,
            "fits": True,
            "segments": [
                {"text": "user: hello", "trained": False},
                {"text": "It can be mended.", "trained": True},
            ],
        }
    ],
    "tokens_per_epoch": 20000,
    "pairs": 44,
    "total_tokens": 30000,
}
ESTIMATE: Json = {
    "base_model": "brightrun-tiny",
    "seconds": {"p50": 20.0, "p90": 31.0},
    "billed_seconds": {"p50": 18.0, "p90": 28.0},
    "cost_usd": {"p50": 0.01, "p90": 0.02},
    "billing": {
        "instance_type": "ml.m5.2xlarge",
        "instances": 1,
        "billed_gpus": 0,
        "usd_per_hour": 0.461,
        "price_date": "2026-11-21",
        "region": "us-east-1",
    },
    "gpu_config": {"type": "local-cpu", "count": 1},
    "hyperparameters": {"epochs": 3, "batch_size": 4, "max_seq_length": 4096},
    "data": {"tokens_per_epoch": 20000, "sequences_per_epoch": 12, "merge_factor": 2.5},
    "training_details": {
        "total_steps": 30,
        "steps_per_epoch": 10,
        "estimated_throughput_tokens_per_sec": 9000,
    },
    "memory": {"fits": True, "weights_gib": 0.1},
    "trainable": True,
    "phases": [{"name": "train", "billed": True, "seconds": {"p50": 9.0, "p90": 14.0}}],
    "warnings": [],
    "assumptions": [],
    "alternatives": [],
}
MODELS = [
    {"key": "llama-3.1-8b-instruct", "local_only": False},
    {"key": "brightrun-tiny", "local_only": True},
]


class FakeUploads:
    """The file store behind a dataset's upload: what arrived, piece by piece."""

    def __init__(self, system: FakeSystem, *, parts: int = 0) -> None:
        self.arrived: dict[str, bytes] = {}
        self._system = system
        self._parts = parts
        system.route("PUT", r"/files/upload/(\w+)", self._take)

    def plan(self) -> Json:
        """What is still missing, with links for it."""
        if not self._parts:
            return {**_PUT, "url": f"{self._system.url}/files/upload/whole?X-Amz-Signature=a"}
        missing = [n for n in range(1, self._parts + 1) if str(n) not in self.arrived]
        links = [
            {"part_number": n, "url": f"{self._system.url}/files/upload/{n}?X-Amz-Signature=a"}
            for n in missing
        ]
        done = [int(n) for n in self.arrived]
        return {**_MULTIPART, "parts": links, "uploaded": done}

    def content(self) -> bytes:
        """The file as the store has it."""
        return b"".join(self.arrived[name] for name in sorted(self.arrived))

    def _take(self, request: Recorded, found: re.Match[str]) -> Answer:
        self.arrived[found[1]] = request.body
        return Answer(200, b"")


_PUT: Json = {
    "method": "put",
    "url": None,
    "headers": {"content-type": "application/x-ndjson"},
    "part_size": None,
    "parts": [],
    "uploaded": [],
    "expires_in_seconds": 3600,
}
_MULTIPART: Json = {**_PUT, "method": "multipart", "headers": {}, "part_size": PART_BYTES}


def data(document: Any, status: int = 200) -> Answer:
    """An answer in the envelope of these routes."""
    return Answer(status, json.dumps({"success": True, "data": document}).encode())


def serve_datasets(system: FakeSystem, uploads: FakeUploads, *states: Json) -> None:
    """Serve one dataset; reading it gives the states in turn, and the last one stays."""
    left = list(states or [READY])

    def read(_: Recorded, __: re.Match[str]) -> Answer:
        return data(left.pop(0) if len(left) > 1 else left[0])

    def created(request: Recorded, _: re.Match[str]) -> Answer:
        dataset = {**READY, "status": "uploading", "file_size": request.body["file_size"]}
        return data({"dataset": dataset, "upload": uploads.plan()}, 201)

    one = f"/api/datasets/{DATASET}"
    confirmed = {**READY, "status": "validating"}
    system.route("POST", "/api/datasets", created)
    system.route("GET", "/api/datasets", lambda _, __: _page("datasets", [READY]))
    system.route("GET", one, read)
    system.route("DELETE", one, lambda _, __: {"success": True})
    system.route("GET", f"{one}/upload", lambda _, __: data(uploads.plan()))
    system.route("POST", f"{one}/confirm", lambda _, __: data(confirmed, 202))
    system.route("POST", f"{one}/receipt", lambda _, __: data(RECEIPT))
    system.route(
        "POST", "/api/datasets/import-from-training-file", lambda _, __: data(confirmed, 201)
    )


def serve_training(system: FakeSystem, *states: Json, adapter: dict[str, bytes] = ADAPTER) -> None:
    """Serve one job, in these states in turn, and the model that it delivers."""
    left = list(states or [COMPLETED])

    def read(_: Recorded, __: re.Match[str]) -> Answer:
        job = left.pop(0) if len(left) > 1 else left[0]
        return data({"job": job, "metrics": [], "cost_records": []})

    one = f"/api/jobs/{JOB}"
    catalog = {"base_models": MODELS, "gpu_types": [], "presets": []}
    system.route("GET", "/api/base-models", lambda _, __: data(catalog))
    system.route("POST", "/api/jobs/estimate", lambda _, __: data(ESTIMATE))
    system.route("POST", "/api/jobs", lambda _, __: data({**RUNNING, "status": "queued"}, 201))
    system.route("GET", "/api/jobs", lambda _, __: _page("jobs", [COMPLETED]))
    system.route("GET", one, read)
    system.route("GET", f"{one}/metrics", _metrics)
    system.route("POST", f"{one}/cancel", lambda _, __: data({**RUNNING, "status": "cancelled"}))
    _serve_model(system, adapter)


def _metrics(request: Recorded, _: re.Match[str]) -> Answer:
    begin, size = int(request.query.get("cursor", 0)), int(request.query["limit"])
    following = str(begin + size) if begin + size < len(POINTS) else None
    return _page("metrics", POINTS[begin : begin + size], following)


def _serve_model(system: FakeSystem, adapter: dict[str, bytes]) -> None:
    files = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in ADAPTER.items()
    ]
    model = {
        "id": MODEL,
        "name": "Demo",
        "base_model": "brightrun-tiny",
        "files": files,
        "quality_score": 1,
        "verdict": WORSE,
        "held_out": HELD_OUT,
    }

    def download(request: Recorded, _: re.Match[str]) -> Answer:
        wanted = request.body.get("files") or list(ADAPTER)
        if unknown := [name for name in wanted if name not in ADAPTER]:
            return problem(400, f"There is no file {unknown[0]}.", "invalid_input")
        links = {name: f"{system.url}/files/model/{name}?X-Amz-Signature=a" for name in wanted}
        chosen = [file for file in files if file["name"] in wanted]
        return data({"model_id": MODEL, "download_urls": links, "files": chosen})

    system.route("GET", "/api/models", lambda _, __: _page("models", [model]))
    system.route("GET", f"/api/models/{MODEL}", lambda _, __: data(model))
    system.route("POST", f"/api/models/{MODEL}/download", download)
    system.route("GET", "/files/model/(.+)", lambda _, found: Answer(200, adapter[found[1]]))


def _page(key: str, rows: Sequence[Json], following: str | None = None) -> Answer:
    body = {"success": True, "data": {key: rows, "count": len(rows)}, "next_cursor": following}
    return Answer(200, json.dumps(body).encode())
