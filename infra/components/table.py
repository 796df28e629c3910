"""A table here: on demand, encrypted, restorable to any second, and not deleted with its stack."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A table's keys: `partition` and `sort` (a string unless `sort_type` says otherwise).

    `index_on` names a second sort key under the same partition, in an index `by_<index_on>` that
    holds the keys and the attributes `index_holds`. `former_index_on` is that of an index with all
    attributes which it replaced: a deployment makes or removes one index of a table, so that a
    table that has the former one keeps it in the deployment that makes the new one.
    `open_by` names an attribute that a row has while it is open: an index `by_<open_by>` holds the
    keys of those rows by that attribute's value, sorted as the table is.
    `expires_by` names the attribute that holds the epoch second after which a row may go.
    """

    partition: str
    sort: str
    sort_type: dynamodb.AttributeType = STRING
    index_on: str | None = None
    index_holds: tuple[str, ...] = ()
    former_index_on: str | None = None
    open_by: str | None = None
    expires_by: str | None = None


def table(
    scope: Construct, construct_id: str, spec: TableSpec, *, keep_former_index: bool = False
) -> dynamodb.Table:
    """Create a table that outlives its stack.

    The key is the account's own AWS-managed one: visible in the template and in CloudTrail, and
    unlike a customer's key it can be neither lost nor disabled.
    """
    partition = dynamodb.Attribute(name=spec.partition, type=STRING)
    created = dynamodb.Table(
        scope,
        construct_id,
        partition_key=partition,
        sort_key=dynamodb.Attribute(name=spec.sort, type=spec.sort_type),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.AWS_MANAGED,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
        time_to_live_attribute=spec.expires_by,
    )
    if spec.index_on:
        created.add_global_secondary_index(
            index_name=f"by_{spec.index_on}",
            partition_key=partition,
            sort_key=dynamodb.Attribute(name=spec.index_on, type=STRING),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(spec.index_holds),
        )
    if spec.open_by:
        created.add_global_secondary_index(
            index_name=f"by_{spec.open_by}",
            partition_key=dynamodb.Attribute(name=spec.open_by, type=STRING),
            sort_key=dynamodb.Attribute(name=spec.sort, type=spec.sort_type),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
    if spec.former_index_on and keep_former_index:
        created.add_global_secondary_index(
            index_name=f"by_{spec.former_index_on}",
            partition_key=partition,
            sort_key=dynamodb.Attribute(name=spec.former_index_on, type=STRING),
            projection_type=dynamodb.ProjectionType.ALL,
        )
    return created
