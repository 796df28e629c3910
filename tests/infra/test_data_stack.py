"""Tables and buckets as the code and the operators rely on them."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.training.adapters.deliver_adapter import adapter_prefix
from brightrun.training.sagemaker.request import (
    LONGEST_RUN_S,
    SPOT_WAIT_S,
    artifact_key,
    checkpoint_prefix,
    metrics_key,
)
from brightrun.training.workflow.model import LONGEST_WAIT_FOR_CAPACITY
from tests import aws
from tests.aws import KEYS
from tests.builders import OWNER
from tests.fakes.training_jobs import a_training_job
from tests.infra.templates import DATA, Templates

pytestmark = pytest.mark.slow

BUCKETS = {
    "ConversationFilesBucket",
    "TrainingFilesBucket",
    "DatasetsBucket",
    "BaseModelsBucket",
    "ModelsBucket",
    "BatchLogsBucket",
    "FailedGenerationFilesBucket",
    "AccessLogsBucket",
}
HASH_LENGTH = 8  # CDK ends a logical id with a hash of the construct's path


def named(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {logical_id[:-HASH_LENGTH]: body for logical_id, body in resources.items()}


def tables(templates: Templates) -> dict[str, dict[str, Any]]:
    return named(templates.of_type("AWS::DynamoDB::Table", DATA))


def buckets(templates: Templates) -> dict[str, dict[str, Any]]:
    return named(templates.of_type("AWS::S3::Bucket", DATA))


def test_every_table_has_its_keys(templates: Templates) -> None:
    found = {
        name: tuple(key["AttributeName"] for key in body["Properties"]["KeySchema"])
        for name, body in tables(templates).items()
    }
    assert found == KEYS


def test_keys_are_strings_except_the_position_of_an_item(templates: Templates) -> None:
    numbers = {
        (name, attribute["AttributeName"])
        for name, body in tables(templates).items()
        for attribute in body["Properties"]["AttributeDefinitions"]
        if attribute["AttributeType"] != "S"
    }
    assert numbers == {("BatchItemsTable", "position")}
    assert {attribute for _, attribute in numbers} == aws.NUMBERS


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_table_is_encrypted_restorable_and_outlives_its_stack(
    templates: Templates, name: str
) -> None:
    table = tables(templates)[name]
    properties = table["Properties"]
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_indexes_are_those_of_changed_conversations_and_of_open_bills(
    templates: Templates,
) -> None:
    indexes = {
        name: body["Properties"]["GlobalSecondaryIndexes"]
        for name, body in tables(templates).items()
        if "GlobalSecondaryIndexes" in body["Properties"]
    }
    assert {
        name: {
            index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
            for index in found
        }
        for name, found in indexes.items()
    } == aws.INDEXES
    assert {
        index["IndexName"]: index["Projection"] for found in indexes.values() for index in found
    } == aws.PROJECTIONS


def test_only_idempotency_records_and_tombstones_expire(templates: Templates) -> None:
    expiring = {
        name: body["Properties"]["TimeToLiveSpecification"]
        for name, body in tables(templates).items()
        if "TimeToLiveSpecification" in body["Properties"]
    }
    by_expires_at = {"AttributeName": "expires_at", "Enabled": True}
    assert expiring == dict.fromkeys(("ConversationsTable", "IdempotencyTable"), by_expires_at)


def test_the_buckets_are_these(templates: Templates) -> None:
    assert buckets(templates).keys() == BUCKETS
    moto = {
        "".join(word.capitalize() for word in f"{name}-bucket".split("-")) for name in aws.BUCKETS
    }
    assert moto == BUCKETS - {"AccessLogsBucket"}


@pytest.mark.parametrize("name", sorted(BUCKETS))
def test_a_bucket_is_private_encrypted_versioned_and_outlives_its_stack(
    templates: Templates, name: str
) -> None:
    bucket = buckets(templates)[name]
    properties = bucket["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    rule = properties["LifecycleConfiguration"]["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_only_access_logs_expire(templates: Templates) -> None:
    expiring = {
        name
        for name, body in buckets(templates).items()
        if "ExpirationInDays" in body["Properties"]["LifecycleConfiguration"]["Rules"][0]
    }
    assert expiring == {"AccessLogsBucket"}


def test_what_training_jobs_leave_expires_and_no_adapter_does(templates: Templates) -> None:
    rules = {
        (name, rule["Prefix"]): rule["ExpirationInDays"]
        for name, body in buckets(templates).items()
        for rule in body["Properties"]["LifecycleConfiguration"]["Rules"]
        if "Prefix" in rule
    }
    assert rules == {("ModelsBucket", "jobs/"): 30}
    job = a_training_job()
    for key in (artifact_key(job), metrics_key(job.job_id), checkpoint_prefix(job.job_id)):
        assert key.startswith("jobs/")
    assert not adapter_prefix(OWNER, "model-1").startswith("jobs/")
    longest = LONGEST_WAIT_FOR_CAPACITY.days + LONGEST_RUN_S / 86_400 + SPOT_WAIT_S / 86_400
    assert rules["ModelsBucket", "jobs/"] > 2 * longest


def test_every_bucket_logs_its_requests_under_its_own_prefix(templates: Templates) -> None:
    logging = {
        name: body["Properties"]["LoggingConfiguration"]
        for name, body in buckets(templates).items()
        if "LoggingConfiguration" in body["Properties"]
    }
    assert logging.keys() == BUCKETS - {"AccessLogsBucket"}
    for name, configuration in logging.items():
        assert configuration["DestinationBucketName"]["Ref"].startswith("AccessLogsBucket")
        assert configuration["LogFilePrefix"] == f"{name}/"


def test_every_bucket_refuses_requests_without_modern_tls(templates: Templates) -> None:
    policies = templates.of_type("AWS::S3::BucketPolicy", DATA).values()
    assert len(policies) == len(BUCKETS)
    for policy in policies:
        conditions = [
            statement.get("Condition", {})
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions
