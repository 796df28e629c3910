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


def learn_that_a_file_is_missing(bucket: str) -> Grant:
    """To a caller that may not list a bucket, S3 answers 403 for a missing key, as for a forbidden
    one, and a lost file would look like a fault of ours.
    """
    return Grant(
        ("s3:ListBucket",), bucket, "get 404 for a file that is not there; the code lists nothing"
    )


KEEP_FAILED_EVENTS = Grant(
    ("sqs:SendMessage",), "DeadLetters", "hand over an event that failed every time"
)
LOGS_AND_TRACES = (
    Grant(("logs:CreateLogStream", "logs:PutLogEvents"), "OwnLogGroup", "write its own log"),
    Grant(
        ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        "*",
        "send traces; X-Ray has no resources to name",
    ),
)
