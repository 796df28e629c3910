"""Where signed links point: at the bucket's own host in its region, or at the local engine."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from brightrun.aws.objects import S3Objects, s3_client


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def link() -> str:
    return S3Objects(s3_client(), "a-bucket").link("folder/file.json", "file.json")


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1"])
def test_a_link_names_the_buckets_own_host_in_its_region(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    url = urlsplit(link())
    assert (url.scheme, url.netloc) == ("https", f"a-bucket.s3.{region}.amazonaws.com")
    assert url.path == "/folder/file.json"
    assert f"{region}%2Fs3%2Faws4_request" in url.query


def test_a_link_of_the_local_engine_keeps_the_bucket_in_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8610")
    url = urlsplit(link())
    assert (url.netloc, url.path) == ("127.0.0.1:8610", "/a-bucket/folder/file.json")
