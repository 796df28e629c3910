"""How much a test tries: enough in `make test`, as much as docs/scoreboard.md asks in its run."""

from __future__ import annotations

import os

_IS_FULL = os.environ.get("BRIGHTRUN_EFFORT") == "full"
"""Read once: while a test runs, no variable of ours is set."""


def effort(usual: int, full: int) -> int:
    """Return `full` in `make scoreboard`, which sets BRIGHTRUN_EFFORT, and `usual` elsewhere."""
    return full if _IS_FULL else usual
