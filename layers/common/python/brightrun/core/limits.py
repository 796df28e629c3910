"""Limits that several capabilities state."""

from __future__ import annotations

MOST_VERSIONS = 200
"""Versions of one training file: each takes under 1 KB of the row's 400 KB (docs/adr/0020)."""

MOST_DATASET_BYTES = 524_288_000
"""Size of one dataset's file, uploaded or copied from a training file: v1's limit."""

CALL_TIMEOUT_S = 180.0
"""Limit on one call to Claude: v1's figure; its slowest conversation took 107 s."""
