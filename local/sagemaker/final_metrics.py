"""The last value of every metric that a job defines, read from what its container printed."""

import re
from collections.abc import Iterable
from typing import Any


def final_metrics(
    definitions: Iterable[dict[str, str]], log: str, now: float
) -> list[dict[str, Any]]:
    """Return FinalMetricDataList; metrics that never matched, or matched no number, are absent."""
    found = []
    for definition in definitions:
        values = [match[1] for match in re.finditer(definition["Regex"], log) if match.re.groups]
        number = _number(values[-1]) if values else None
        if number is not None:
            found.append({"MetricName": definition["Name"], "Value": number, "Timestamp": now})
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
