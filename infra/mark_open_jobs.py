"""Enters the training jobs of an earlier version in the index of open bills; see the runbook.

A job's next write does so by itself. What is left are jobs whose execution had ended before the
upgrade: the sweep, which would start another one, finds them by that index alone.
"""

from __future__ import annotations

import argparse
from typing import Any


def mark_open_jobs(table: str, dynamodb: Any) -> int:
    """Mark the jobs whose bill is open and return how many were; can be run any number of times.

    It reads the whole table once. A job whose bill is closed meanwhile is left as it is.
    """
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="owner_id, job_id",
        FilterExpression="settled = :no AND attribute_not_exists(open_bill)",
        ExpressionAttributeValues={":no": {"BOOL": False}},
    )
    keys = [row for page in pages for row in page["Items"]]
    return sum(_mark(table, key, dynamodb) for key in keys)


def _mark(table: str, key: Any, dynamodb: Any) -> bool:
    try:
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET open_bill = :open",
            ConditionExpression="settled = :no",
            ExpressionAttributeValues={":no": {"BOOL": False}, ":open": {"S": "open"}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def main() -> None:
    """Mark the jobs of the table that the command line names."""
    import boto3

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="the name of the table of training jobs")
    parser.add_argument("--region", help="default: that of the AWS configuration")
    given = parser.parse_args()
    marked = mark_open_jobs(given.table, boto3.client("dynamodb", region_name=given.region))
    print(f"{marked} open training jobs were entered in the index.")  # noqa: T201 - the result


if __name__ == "__main__":
    main()
