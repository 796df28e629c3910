"""SageMaker's answer to StopTrainingJob, which moto does not know."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any


def answer_stops(events: Any) -> list[str]:
    """Let a client, or all clients of a session, stop any training job; gives their names."""
    stopped: list[str] = []

    def stop(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        stopped.append(json.loads(params["body"])["TrainingJobName"])
        return SimpleNamespace(status_code=200), {}

    events.register("before-call.sagemaker.StopTrainingJob", stop)
    return stopped
