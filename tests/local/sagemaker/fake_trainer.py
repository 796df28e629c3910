"""Stands in for the training container: the same contract, no torch, quick steps.

Run as ``fake_trainer.py train`` over ``SM_ML_ROOT``. Hyperparameters: ``steps``, ``seconds`` per
step, ``fail`` (exit code), ``fail_first`` (the same, of an attempt without a checkpoint),
``failure`` (text), ``deaf`` (ignore SIGTERM), ``child`` (start one in a session of its own).
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(os.environ["SM_ML_ROOT"])
stopping = False


def on_stop(_number: int, _frame: FrameType | None) -> None:
    global stopping  # noqa: PLW0603 - as the real trainer, it only sets a flag
    stopping = True


def seen() -> dict[str, Any]:
    """Return what the container was given."""
    config = ROOT / "input" / "config"
    data = ROOT / "input" / "data"
    return {
        "arguments": sys.argv[1:],
        "configuration": {
            file.stem: json.loads(file.read_bytes()) for file in config.glob("*.json")
        },
        "channels": {
            str(file.relative_to(data)): file.read_text()
            for file in sorted(data.rglob("*"))
            if file.is_file()
        },
        "environment": dict(os.environ),
    }


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def main() -> int:
    given = seen()
    parameters = given["configuration"]["hyperparameters"]
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in parameters else on_stop)
    if "child" in parameters:
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        write(Path(parameters["child"]), str(child.pid))
    checkpoint = ROOT / "checkpoints" / "step"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    step = first
    while step < int(parameters.get("steps", "1")) and not stopping:
        time.sleep(float(parameters.get("seconds", "0")))
        step += 1
        write(checkpoint, str(step))
        sys.stdout.write(f"step={step} train_loss={1 / step}\n")
        sys.stdout.flush()
    if "failure" in parameters:
        write(ROOT / "output" / "failure", parameters["failure"])
    if "fail" in parameters:
        return int(parameters["fail"])
    if "fail_first" in parameters and first == 0:
        return int(parameters["fail_first"])
    results = {"first": first, "last": step, "stopped": stopping, "seen": given}
    write(ROOT / "model" / "results.json", json.dumps(results))
    write(ROOT / "output" / "data" / "metrics.jsonl", "{}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
