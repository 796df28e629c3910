"""The console's bucket and distribution as browsers and operators rely on them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.infra.templates import API, CONSOLE, DATA, Templates

pytestmark = pytest.mark.slow

HASH_LENGTH = 8  # CDK ends a logical id with a hash of the construct's path


def only(resources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (body,) = resources.values()
    properties: dict[str, Any] = body["Properties"]
    return properties


def distribution(templates: Templates) -> dict[str, Any]:
    config: dict[str, Any] = only(templates.of_type("AWS::CloudFront::Distribution", CONSOLE))[
        "DistributionConfig"
    ]
    return config


def test_the_pages_are_private_and_reached_through_cloudfront_alone(templates: Templates) -> None:
    for body in templates.of_type("AWS::S3::Bucket", CONSOLE).values():
        blocked = body["Properties"]["PublicAccessBlockConfiguration"]
        assert all(blocked.values())
    (origin,) = distribution(templates)["Origins"]
    assert origin["OriginAccessControlId"]
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}


def test_pages_come_by_https_and_http_3_and_are_logged(templates: Templates) -> None:
    config = distribution(templates)
    assert config["HttpVersion"] == "http2and3"
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert config["DefaultCacheBehavior"]["Compress"] is True
    assert config["Logging"]["Bucket"]


def test_browsers_get_the_security_headers(templates: Templates) -> None:
    policy = only(templates.of_type("AWS::CloudFront::ResponseHeadersPolicy", CONSOLE))
    headers = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    content = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert "default-src 'none'" in content
    assert "unsafe-inline" not in content
    assert re.search(r"script-src 'self';", content)
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 86_400


def test_an_address_of_the_application_is_answered_with_its_document(templates: Templates) -> None:
    code = only(templates.of_type("AWS::CloudFront::Function", CONSOLE))["FunctionCode"]
    pattern = re.search(r"/(\\\..+?\$)/", code)
    assert pattern
    is_file = re.compile(pattern[1])
    assert is_file.search("/assets/index-a1B2.js")
    assert not is_file.search("/batches/01a22849-9cb2-77fa")


def test_the_pages_go_with_their_stack(templates: Templates) -> None:
    for body in templates.of_type("AWS::S3::Bucket", CONSOLE).values():
        assert body["DeletionPolicy"] == "Delete"


def test_the_console_signs_in_by_a_code_and_without_a_secret(templates: Templates) -> None:
    clients = templates.of_type("AWS::Cognito::UserPoolClient", API)
    (console,) = (body["Properties"] for name, body in clients.items() if "Console" in name)
    assert console["AllowedOAuthFlows"] == ["code"]
    assert console["GenerateSecret"] is False
    assert "aws.cognito.signin.user.admin" in console["AllowedOAuthScopes"]


def test_pages_reach_the_buckets_that_they_show_by_signed_links_only(templates: Templates) -> None:
    open_to_pages = {
        name[:-HASH_LENGTH]: body["Properties"]["CorsConfiguration"]["CorsRules"]
        for name, body in templates.of_type("AWS::S3::Bucket", DATA).items()
        if "CorsConfiguration" in body["Properties"]
    }
    assert open_to_pages.keys() == {
        "DatasetsBucket",
        "FailedGenerationFilesBucket",
        "ModelsBucket",
        "TrainingFilesBucket",
    }
    for (rule,) in open_to_pages.values():
        assert rule["AllowedMethods"] == ["GET", "PUT"]
        assert rule["ExposedHeaders"] == ["ETag"]
        assert "*" not in rule["AllowedOrigins"]
