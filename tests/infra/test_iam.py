"""The evaluation of policies, by what the IAM user guide says of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.iam import Request, allows, arn_matches

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kept/*"}
DENY_PLAIN = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def reads(key: str, **context: str) -> Request:
    named = {name.replace("_", ":"): value for name, value in context.items()}
    return Request("s3:GetObject", f"arn:aws:s3:::{key}", named)


def test_what_nothing_allows_is_denied() -> None:
    assert allows([READ], reads("kept/a/b"))
    assert not allows([READ], reads("other/a"))
    assert not allows([], reads("kept/a"))


def test_a_deny_beats_an_allow() -> None:
    assert not allows([READ, DENY_PLAIN], reads("kept/a", aws_SecureTransport="false"))
    assert allows([READ, DENY_PLAIN], reads("kept/a", aws_SecureTransport="true"))


def test_actions_match_in_any_case_and_by_wildcard() -> None:
    assert allows([{**READ, "Action": "S3:Get*"}], reads("kept/a"))
    assert not allows([{**READ, "Action": "s3:Put*"}], reads("kept/a"))


@pytest.mark.parametrize(
    ("pattern", "arn", "matching"),
    [
        ("*", "arn:aws:logs:us-east-1:1:log-group:g", True),
        (
            "arn:aws:logs:*:1:log-group:g:*",
            "arn:aws:logs:us-east-1:1:log-group:g:log-stream:s",
            True,
        ),
        ("arn:aws:logs:us-east-1:1:log-group:g", "arn:aws:logs:us-east-1:1:log-group:g:*", False),
        ("arn:aws:s3:::kept", "arn:aws:s3:::kept/a", False),
        ("arn:aws:s3:::k?pt", "arn:aws:s3:::kept", True),
        ("arn:aws:*:1:job/a", "arn:aws:sagemaker:us-east-1:1:job/a", False),
        ("arn:aws:s3:::kept/*", "*", False),
    ],
)
def test_a_wildcard_stays_within_its_part_of_an_arn(pattern: str, arn: str, matching: bool) -> None:
    assert arn_matches(pattern, arn) is matching


@pytest.mark.parametrize(
    ("operator", "expected", "found", "holding"),
    [
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", "A", False),
        ("StringLike", "a*", "abc", True),
        ("ArnLike", "arn:aws:states:*:1:stateMachine:m", "arn:aws:states:x:1:stateMachine:m", True),
        ("NumericLessThan", 1.2, "1.1", True),
        ("NumericLessThan", 1.2, "1.3", False),
    ],
)
def test_a_condition_compares_the_requests_key(
    operator: str, expected: Any, found: str, holding: bool
) -> None:
    statement = {**READ, "Condition": {operator: {"aws:key": expected}}}
    assert allows([statement], reads("kept/a", aws_key=found)) is holding


def test_a_condition_on_a_key_that_the_request_lacks_does_not_hold() -> None:
    statement = {**READ, "Condition": {"StringEquals": {"aws:key": "a"}}}
    assert not allows([statement], reads("kept/a"))


@pytest.mark.parametrize(
    "statement",
    [{**READ, "NotAction": "s3:*"}, {**READ, "Condition": {"IpAddress": {"aws:SourceIp": "::1"}}}],
)
def test_what_is_not_understood_is_not_passed_over(statement: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        allows([statement], reads("kept/a"))
