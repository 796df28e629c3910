"""The log group of training jobs after a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.components.training_role import LOG_GROUP
from infra.training_log_group import ensure_log_group


@pytest.fixture
def logs(scrubbed_environment: None) -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("logs", region_name="eu-west-1")


def retention(logs: Any) -> int | None:
    (group,) = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    days: int | None = group.get("retentionInDays")
    return days


def test_a_first_deployment_makes_the_group_with_the_stages_retention(logs: Any) -> None:
    assert "was made; it is kept 90 days" in ensure_log_group(logs, 90)
    assert retention(logs) == 90


def test_a_group_of_somebody_elses_jobs_is_left_as_it_is(logs: Any) -> None:
    logs.create_log_group(logGroupName=LOG_GROUP)
    assert "kept without end" in ensure_log_group(logs, 90)
    assert retention(logs) is None


def test_a_later_deployment_changes_nothing(logs: Any) -> None:
    ensure_log_group(logs, 90)
    assert "existed; it is left as it is and kept 90 days" in ensure_log_group(logs, 30)
    assert retention(logs) == 90
