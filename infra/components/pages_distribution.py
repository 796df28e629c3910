"""How the console's pages reach browsers: CloudFront before a private bucket."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

INDEX = "index.html"
# Pages are addresses of the application, not objects: all that is no file is its one document.
TO_INDEX = """\
function handler(event) {
  var request = event.request;
  if (!/\\.[a-z0-9]+$/.test(request.uri)) request.uri = '/index.html';
  return request;
}
"""
HSTS_AGE = Duration.days(365)


def pages_distribution(
    scope: Construct, *, pages: s3.IBucket, logs: s3.IBucket, region: str
) -> cloudfront.Distribution:
    """Create the distribution: HTTPS only, HTTP/3, security headers, logged.

    Files are cached as their own Cache-Control says: assets for a year under names that hold their
    hash, the document and config.json not at all.
    """
    # CloudFront's names are unique in the account, over all regions and stages.
    name = f"{Stack.of(scope).stack_name}-{region}"
    return cloudfront.Distribution(
        scope,
        "Pages",
        comment="Bright Run console",
        default_root_object=INDEX,
        http_version=cloudfront.HttpVersion.HTTP2_AND_3,
        price_class=cloudfront.PriceClass.PRICE_CLASS_100,
        enable_logging=True,
        log_bucket=logs,
        log_includes_cookies=False,
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(
                pages,
                origin_access_control=cloudfront.S3OriginAccessControl(
                    scope, "OriginAccess", origin_access_control_name=name
                ),
            ),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            compress=True,
            response_headers_policy=_security_headers(scope, name, region),
            function_associations=[
                cloudfront.FunctionAssociation(
                    event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
                    function=cloudfront.Function(
                        scope,
                        "ToIndex",
                        function_name=name,
                        code=cloudfront.FunctionCode.from_inline(TO_INDEX),
                        runtime=cloudfront.FunctionRuntime.JS_2_0,
                    ),
                )
            ],
        ),
    )


def content_security_policy(region: str) -> str:
    """The pages' policy: their own files, and calls to the API, the user pool and the buckets.

    Those are named by their service in this region: the API's own address does not exist yet when
    the distribution is made, since the API must know the distribution's.
    """
    hosts = (
        f"https://*.execute-api.{region}.amazonaws.com",
        f"https://cognito-idp.{region}.amazonaws.com",
        f"https://*.auth.{region}.amazoncognito.com",
        f"https://*.s3.{region}.amazonaws.com",  # the host of signed links
    )
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {' '.join(hosts)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _security_headers(scope: Construct, name: str, region: str) -> cloudfront.ResponseHeadersPolicy:
    return cloudfront.ResponseHeadersPolicy(
        scope,
        "SecurityHeaders",
        response_headers_policy_name=name,
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=content_security_policy(region), override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=True
            ),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=HSTS_AGE, include_subdomains=True, override=True
            ),
        ),
    )
