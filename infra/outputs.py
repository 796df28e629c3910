"""Reads what `cdk deploy --outputs-file` wrote."""

from __future__ import annotations

import json
from pathlib import Path


def read_outputs(path: Path) -> dict[str, str]:
    """The outputs of all stacks of one deployment by name; no two stacks share one."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: text for stack in document.values() for name, text in stack.items()}
