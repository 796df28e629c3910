"""Multipart uploads as datasets use them: by links, over restarts, refused as S3 refuses them."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.conftest import StartSystem
from tests.local.running_system import RunningSystem

pytestmark = pytest.mark.slow

FIRST = b"x" * (5 * 1024 * 1024)


def _s3(system: RunningSystem) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=system.local.api_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def _begin(system: RunningSystem, key: str) -> dict[str, Any]:
    upload = {"Bucket": system.outputs["BucketName"], "Key": key}
    return {**upload, "UploadId": _s3(system).create_multipart_upload(**upload)["UploadId"]}


def _put(system: RunningSystem, upload: dict[str, Any], number: int, body: bytes) -> str:
    """Put a part by a link that allows exactly its size; returns its tag."""
    link = _s3(system).generate_presigned_url(
        "upload_part", Params={**upload, "PartNumber": number, "ContentLength": len(body)}
    )
    request = urllib.request.Request(link, data=body, method="PUT")
    with urllib.request.urlopen(request) as response:
        return str(response.headers["ETag"])


def _complete(system: RunningSystem, upload: dict[str, Any], tags: list[tuple[int, str]]) -> Any:
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in tags]
    return _s3(system).complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_upload_goes_on_after_a_restart(
    start_system: StartSystem, tmp_path: Path, ending: str
) -> None:
    before = start_system(tmp_path)
    upload = _begin(before, "kept")
    first = _put(before, upload, 1, FIRST)
    getattr(before, ending)()
    after = start_system(tmp_path)
    assert [part["Size"] for part in _s3(after).list_parts(**upload)["Parts"]] == [len(FIRST)]
    second = _put(after, upload, 2, b"end")
    _complete(after, upload, [(1, first), (2, second)])
    place = {"Bucket": upload["Bucket"], "Key": upload["Key"]}
    ranged = _s3(after).get_object(**place, Range=f"bytes={len(FIRST) - 1}-")
    assert ranged["Body"].read() == b"xend"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_part_of_another_size_than_its_link_allows_is_refused(system: RunningSystem) -> None:
    upload = _begin(system, "sized")
    link = _s3(system).generate_presigned_url(
        "upload_part", Params={**upload, "PartNumber": 1, "ContentLength": 3}
    )
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(urllib.request.Request(link, data=b"longer", method="PUT"))
    refused.value.close()


def test_completion_is_refused_as_s3_refuses_it(system: RunningSystem) -> None:
    upload = _begin(system, "refused")
    tags = [(number, _put(system, upload, number, b"tiny")) for number in (1, 2)]
    with pytest.raises(ClientError, match="EntityTooSmall"):
        _complete(system, upload, tags)
    with pytest.raises(ClientError, match="InvalidPartOrder"):
        _complete(system, upload, tags[::-1])
    with pytest.raises(ClientError, match="InvalidPart"):
        _complete(system, upload, [(1, '"0"')])
    _complete(system, upload, tags[:1])


def test_aborted_upload_is_gone(system: RunningSystem) -> None:
    upload = _begin(system, "aborted")
    _put(system, upload, 1, b"tiny")
    _s3(system).abort_multipart_upload(**upload)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        _s3(system).list_parts(**upload)
    assert list(system.local.folder.uploads.glob(f"{upload['UploadId']}")) == []
