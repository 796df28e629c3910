"""The status of the engine, as a JSON document and as a page."""

import html
import json
from collections.abc import Callable, Mapping
from typing import Any

from local.settings import USER_NAME, DataFolder

_SHOWN_RESOURCES = {
    "tables": "AWS::DynamoDB::Table",
    "buckets": "AWS::S3::Bucket",
    "state_machines": "AWS::StepFunctions::StateMachine",
    "functions": "AWS::Lambda::Function",
}


Live = Callable[[], Mapping[str, Any]]
"""What changes while the system runs, read again each time."""


class Status:
    """The engine's state: starting at first, ready once ``ready`` was called."""

    def __init__(self, endpoint_url: str, folder: DataFolder, live: Live = dict) -> None:
        self._live = live
        self.api_id: str | None = None
        self._document: dict[str, Any] = {
            "state": "starting",
            "api_url": endpoint_url,
            "aws_endpoint_url": endpoint_url,
            "data_dir": str(folder.root),
            "logs_dir": str(folder.logs),
            "username": USER_NAME,
            "password_file": str(folder.password),
        }

    def ready(self, record: Mapping[str, Any], generator: str, notice: str | None = None) -> None:
        """Record the deployment, that requests are served, and a notice about the generator."""
        outputs = outputs_by_name(record)
        self.api_id = outputs.get("ApiId")
        self._document |= {
            "state": "ready",
            "generator": generator,
            **({"notice": notice} if notice else {}),
            "user_pool": outputs.get("UserPoolId"),
            "user_pool_client": outputs.get("UserPoolClientId"),
            "stacks": sorted(record),
            **{name: _physical_ids(record, kind) for name, kind in _SHOWN_RESOURCES.items()},
        }

    @property
    def is_ready(self) -> bool:
        """Whether requests are served."""
        return bool(self._document["state"] == "ready")

    def document(self) -> dict[str, Any]:
        """Return the status as it is now."""
        return {**self._document, **self._live()}

    def document_text(self) -> str:
        """Return the status as JSON."""
        return json.dumps(self.document(), indent=2)

    def page(self) -> str:
        """Return the status as a plain HTML page."""
        rows = "".join(
            f"<dt>{html.escape(name.replace('_', ' '))}</dt><dd>{_shown(value)}</dd>"
            for name, value in self.document().items()
        )
        return (
            "<!doctype html><html lang=en><meta charset=utf-8><title>Bright Run, local</title>"
            "<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}"
            "dt{font-weight:600;margin-top:.6rem}dd{margin:0;overflow-wrap:anywhere}</style>"
            f"<h1>Bright Run, local</h1><dl>{rows}</dl></html>"
        )


def outputs_by_name(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of all stacks in one mapping; their names are unique."""
    return {name: text for stack in record.values() for name, text in stack["outputs"].items()}


def _physical_ids(record: Mapping[str, Any], kind: str) -> list[str]:
    return sorted(name for stack in record.values() for name in stack["resources"].get(kind, ()))


def _shown(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return "<br>".join(html.escape(str(each)) for each in values)
