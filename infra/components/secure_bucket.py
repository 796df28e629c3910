"""A bucket here: private, encrypted, TLS only, versioned, logged, kept without its stack."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import StageSettings

ABANDONED_UPLOAD_DAYS = 7  # parts of an upload that never completed are billed until removed


def secure_bucket(
    scope: Construct,
    construct_id: str,
    *,
    settings: StageSettings,
    access_logs: s3.IBucket | None,
    expire_after_days: int | None = None,
    pages: Sequence[str] = (),
    leftovers: tuple[str, int] | None = None,
) -> s3.Bucket:
    """Create a bucket that outlives its stack; `access_logs` is None only for the log bucket.

    `pages` are the origins whose pages may write and read by signed links. An overwritten or
    deleted object can be restored for the stage's noncurrent_version_days. `leftovers` are a prefix
    and the days after which its objects expire.
    """
    return s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=f"{construct_id}/" if access_logs else None,
        removal_policy=RemovalPolicy.RETAIN,
        cors=[_signed_links(pages)] if pages else None,
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=Duration.days(settings.noncurrent_version_days),
                abort_incomplete_multipart_upload_after=Duration.days(ABANDONED_UPLOAD_DAYS),
                expiration=Duration.days(expire_after_days) if expire_after_days else None,
            ),
            *_expiring(leftovers),
        ],
    )


def _expiring(leftovers: tuple[str, int] | None) -> list[s3.LifecycleRule]:
    if leftovers is None:
        return []
    prefix, days = leftovers
    return [s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))]


def _signed_links(origins: Sequence[str]) -> s3.CorsRule:
    """What a browser may do with a link that the API signed; the link itself is the permission."""
    return s3.CorsRule(
        allowed_origins=list(origins),
        allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.PUT],
        allowed_headers=["*"],
        exposed_headers=["ETag"],  # completes an upload in parts
        max_age=int(Duration.hours(1).to_seconds()),
    )
