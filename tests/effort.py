"""How many of its cases a long test tries: enough in `make test`, all with full effort.

`make scoreboard` takes full effort, as docs/scoreboard.md asks; so does any run with
BRIGHTRUN_EFFORT=full.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

_IS_FULL = os.environ.get("BRIGHTRUN_EFFORT") == "full"
"""Read once: while a test runs, no variable of ours is set."""


def effort(usual: T, full: T) -> T:
    """Return `full` with full effort, and `usual` without."""
    return full if _IS_FULL else usual
