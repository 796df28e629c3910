"""Business metrics in CloudWatch's embedded format: a line of the function's own log.

Counts are added up over an invocation, so that a worker writes some hundred bytes however many
items it has. No metric has an owner, an item or a text: each distinct value would be a metric of
its own, which CloudWatch bills. docs/metrics.md says what each one is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from brightrun.core.settings import Settings

NAMESPACE = "BrightRun"
"""Where POWERTOOLS_METRICS_NAMESPACE names no other, which a deployment does for its stage."""
Name = Literal[
    "ClaudeCalls",
    "ClaudeFailures",
    "ClaudeThrottled",
    "ClaudeFailing",
    "ClaudeLatency",
    "ClaudeInputTokens",
    "ClaudeOutputTokens",
    "ClaudeCost",
    "ConversationsWritten",
    "BatchesCompleted",
    "BatchesFailed",
    "UnfinishedRounds",
    "TrainingJobsCompleted",
    "TrainingJobsFailed",
    "TrainingCost",
    "TrainingSeconds",
    "GpuUtilization",
    "OrphansStopped",
    "WorkflowsRestarted",
]
UNITS: Mapping[str, str] = MappingProxyType(
    {
        "ClaudeFailing": "Percent",
        "ClaudeLatency": "Milliseconds",
        "ClaudeCost": "None",
        "TrainingCost": "None",
        "TrainingSeconds": "Seconds",
        "GpuUtilization": "Percent",
        "UnfinishedRounds": "None",
    }
)
"""The units of those that are no counts; costs are US dollars, which CloudWatch has no unit for."""


class MetricsSettings(Settings):
    """The environment of whatever publishes metrics."""

    powertools_metrics_namespace: str = NAMESPACE


_COUNT = "Count"
_KEPT_APART = frozenset({"ClaudeFailing", "ClaudeLatency"})
"""Those that are looked at by their average or their percentiles."""
_VALUES_A_LINE = 99
"""Of one metric; at a hundred, the most of the format, Powertools writes a line by itself."""
_measured: dict[str, list[float]] = defaultdict(list)


def measure(name: Name, value: float = 1) -> None:
    """Add a value to this invocation's metrics."""
    values = _measured[name]
    if values and name not in _KEPT_APART:
        values[0] += value
    else:
        values.append(value)


def publish() -> None:
    """Write what this invocation has measured, and begin anew; writes nothing for nothing.

    What another thread measures meanwhile is in the next lines.
    """
    measured = {name: _measured.pop(name) for name in tuple(_measured)}
    if not measured:
        return
    from aws_lambda_powertools.metrics import EphemeralMetrics

    settings = MetricsSettings.from_environment()
    for first in range(0, max(map(len, measured.values())), _VALUES_A_LINE):
        line = EphemeralMetrics(namespace=settings.powertools_metrics_namespace)
        for name, values in measured.items():
            for value in values[first : first + _VALUES_A_LINE]:
                line.add_metric(name, UNITS.get(name, _COUNT), value)
        line.flush_metrics()
