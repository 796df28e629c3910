"""Publishing the built pages to a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.publish_console import NotPublishableError, publish

OUTPUTS = {
    "ApiUrl": "https://api.example",
    "ConsoleClientId": "client",
    "SignInUrl": "https://sign-in.example",
    "UserPoolId": "eu-west-1_pool",
    "Region": "eu-west-1",
    "PagesBucketName": "pages",
    "DistributionId": "",
}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index-1.js").write_text("1")
    return tmp_path


@pytest.fixture
def deployed(scrubbed_environment: None) -> Iterator[tuple[dict[str, str], Any, Any]]:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="pages")
        cloudfront = boto3.client("cloudfront", region_name="us-east-1")
        config = {
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "pages",
                        "DomainName": "pages.s3.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "pages",
                "ViewerProtocolPolicy": "redirect-to-https",
            },
        }
        made = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
        yield {**OUTPUTS, "DistributionId": made["Id"]}, s3, cloudfront


def test_pages_are_published_with_what_they_must_know(
    deployed: tuple[dict[str, str], Any, Any], pages: Path
) -> None:
    outputs, s3, cloudfront = deployed
    assert publish(outputs, pages, s3, cloudfront)[-1] == "index.html"
    config = json.load(s3.get_object(Bucket="pages", Key="config.json")["Body"])
    assert config["apiUrl"] == "https://api.example"
    assert config["signIn"]["authority"] == (
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
    )
    invalidations = cloudfront.list_invalidations(DistributionId=outputs["DistributionId"])
    assert invalidations["InvalidationList"]["Quantity"] == 1


def test_only_files_named_after_their_content_are_cached(
    deployed: tuple[dict[str, str], Any, Any], pages: Path
) -> None:
    outputs, s3, cloudfront = deployed
    publish(outputs, pages, s3, cloudfront)
    caching = {
        key: s3.head_object(Bucket="pages", Key=key)["CacheControl"]
        for key in ("index.html", "config.json", "assets/index-1.js")
    }
    assert caching["index.html"] == caching["config.json"] == "no-cache"
    assert "immutable" in caching["assets/index-1.js"]
    kind = s3.head_object(Bucket="pages", Key="assets/index-1.js")["ContentType"]
    assert "javascript" in kind


def test_what_an_older_version_left_is_removed(
    deployed: tuple[dict[str, str], Any, Any], pages: Path
) -> None:
    outputs, s3, cloudfront = deployed
    s3.put_object(Bucket="pages", Key="assets/index-0.js", Body=b"0")
    publish(outputs, pages, s3, cloudfront)
    listed = s3.list_objects_v2(Bucket="pages")["Contents"]
    assert {one["Key"] for one in listed} == {"index.html", "config.json", "assets/index-1.js"}


def test_pages_that_are_not_built_are_not_published(
    deployed: tuple[dict[str, str], Any, Any], tmp_path: Path
) -> None:
    outputs, s3, cloudfront = deployed
    with pytest.raises(NotPublishableError, match="make console"):
        publish(outputs, tmp_path / "none", s3, cloudfront)
