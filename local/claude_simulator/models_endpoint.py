"""`GET /v1/models` and `GET /v1/models/{id}`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.claude_simulator.http_types import Reply, Request, json_response
from local.claude_simulator.models import EFFORTS, MODELS, Model, find_model
from local.claude_simulator.pages import page
from local.claude_simulator.state import State

_THINKING_TYPES = ("adaptive", "between_tools", "disabled", "enabled")


@dataclass(frozen=True, slots=True)
class ModelsEndpoint:
    """Tells which models there are and where they stand in their lifecycle."""

    state: State

    async def list(self, request: Request, _version: str) -> Reply:
        """One page of models, newest first."""
        now = self.state.now()
        return json_response(page([model_info(model, now) for model in MODELS], request.query()))

    async def retrieve(self, _request: Request, _version: str, name: str) -> Reply:
        """One model by id or alias, retired ones included; ApiError 404 for an unknown one."""
        return json_response(model_info(find_model(name), self.state.now()))


def model_info(model: Model, now: datetime) -> dict[str, Any]:
    """The `ModelInfo` object at `now`; days of deprecation notices are not known here."""
    return {
        "id": model.id,
        "type": "model",
        "display_name": model.display_name,
        "line": model.line,
        "created_at": model.created_at.isoformat(),
        "lifecycle": model.lifecycle(now),
        "deprecated_at": None,
        "retires_at": model.retires_at.isoformat() if model.retires_at else None,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: Model) -> dict[str, Any]:
    """What the simulator does for a model; media and server tools it does for none."""
    levelled = model.has_effort
    thinking = {kind: _flag(kind in model.thinking_types) for kind in _THINKING_TYPES}
    return {
        "batch": _flag(True),
        "citations": _flag(False),
        "code_execution": _flag(False),
        "context_management": _flag(False),
        "effort": _flag(levelled) | {effort: _flag(levelled) for effort in EFFORTS},
        "image_input": _flag(False),
        "pdf_input": _flag(False),
        "server_tools": {
            **_flag(False),
            "code_execution": _flag(False),
            "web_search": _flag(False),
        },
        "structured_outputs": _flag(model.structured_outputs),
        "thinking": {"supported": True, "types": thinking},
    }


def _flag(supported: bool) -> dict[str, Any]:
    return {"supported": supported}
