"""Numbers as the tables take them."""

from __future__ import annotations

import math

LARGEST = 1e100
"""DynamoDB takes magnitudes up to 9.99e125 and down to 1e-130; ours end well before."""

SMALLEST = 1e-100


def storable(number: float) -> float | None:
    """The number, 0 for one too small to matter, None for one that is not finite or too large."""
    if not math.isfinite(number) or abs(number) > LARGEST:
        return None
    return 0.0 if abs(number) < SMALLEST else number
