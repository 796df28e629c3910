"""What one permission is, and those that every function here holds."""

from __future__ import annotations

from typing import NamedTuple


class Grant(NamedTuple):
    """IAM actions allowed on one resource, and what the code needs them for.

    `passed_to` names the one service that a role may be passed to, for iam:PassRole.
    """

    actions: tuple[str, ...]
    resource: str
    why: str
    passed_to: str = ""

    @property
    def target(self) -> str:
        """The name of the resource without the index or the object keys."""
        return self.resource.partition("/")[0]


LOGS_AND_TRACES = (
    Grant(("logs:CreateLogStream", "logs:PutLogEvents"), "OwnLogGroup", "write its own log"),
    Grant(
        ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        "*",
        "send traces; X-Ray has no resources to name",
    ),
)
