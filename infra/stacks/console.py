"""The console's pages: a private bucket behind CloudFront; `make deploy` fills it."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.components.pages_distribution import pages_distribution

LOG_DAYS = 90


class ConsoleStack(Stack):
    """Bucket and distribution; `origin` is the address that browsers open.

    Everything in it can be made again, so it goes with the stack, once its buckets are empty.
    """

    def __init__(self, scope: Construct, construct_id: str, **stack: Any) -> None:
        super().__init__(scope, construct_id, **stack)
        logs = _bucket(
            self,
            "PageLogsBucket",
            # CloudFront's log delivery writes by an access control list.
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(LOG_DAYS))],
        )
        pages = _bucket(
            self,
            "PagesBucket",
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="bucket/",
        )
        distribution = pages_distribution(self, pages=pages, logs=logs, region=self.region)
        domain = self.export_value(
            distribution.distribution_domain_name, name=f"{self.stack_name}:Domain"
        )
        self.origin = f"https://{domain}"
        CfnOutput(self, "ConsoleUrl", value=f"https://{distribution.distribution_domain_name}")
        CfnOutput(self, "PagesBucketName", value=pages.bucket_name)
        CfnOutput(self, "DistributionId", value=distribution.distribution_id)


def _bucket(scope: Construct, construct_id: str, **properties: Any) -> s3.Bucket:
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        removal_policy=RemovalPolicy.DESTROY,
        **properties,
    )
