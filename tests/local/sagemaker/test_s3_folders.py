"""Folders in S3: places, names of downloaded files, copies of what changed."""

import os
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.errors import JobFailed
from local.sagemaker.s3_folders import MirroredFolder, download, parse_uri
from tests.local.sagemaker.emulated import BUCKET, Emulated


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket/a/b", ("bucket", "a/b")),
        ("s3://bucket", ("bucket", "")),
        ("s3://bucket/", ("bucket", "")),
        ("https://s3.us-east-1.amazonaws.com/bucket/a/b/", ("bucket", "a/b/")),
        ("https://s3.amazonaws.com/bucket/a", ("bucket", "a")),
    ],
)
def test_both_spellings_of_a_place_are_read(uri: str, place: tuple[str, str]) -> None:
    assert parse_uri(uri) == place


def test_other_places_are_refused() -> None:
    with pytest.raises(JobFailed, match="is no place in S3"):
        parse_uri("https://example.com/bucket/key")


@pytest.mark.parametrize(
    ("prefix", "files"),
    [
        ("data/rows", ["more/part.jsonl", "train.jsonl"]),
        ("data/rows/", ["more/part.jsonl", "train.jsonl"]),
        ("data/rows/train.jsonl", ["train.jsonl"]),
        ("data/rows/tr", ["train.jsonl"]),
        ("", ["data/rows/more/part.jsonl", "data/rows/train.jsonl"]),
        ("nothing", []),
    ],
)
def test_files_are_named_by_what_follows_the_prefix(
    emulated: Emulated, tmp_path: Path, prefix: str, files: list[str]
) -> None:
    target = tmp_path / "channel"
    found = download(emulated.s3, f"s3://{BUCKET}/{prefix}", target)
    assert sorted(str(file.relative_to(target)) for file in found) == files


def test_key_that_leaves_the_folder_is_refused(emulated: Emulated, tmp_path: Path) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key="evil/../../outside", Body=b"x")
    with pytest.raises(JobFailed, match="leaves its folder"):
        download(emulated.s3, f"s3://{BUCKET}/evil", tmp_path / "channel")


def test_only_changed_files_are_copied_the_oldest_first(tmp_path: Path) -> None:
    s3 = _Recorder()
    folder = MirroredFolder(s3, "s3://b/prefix/", tmp_path)
    for age, name in enumerate(["COMPLETE", "state.json", "tensors"]):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    folder.push()
    assert s3.keys == ["prefix/tensors", "prefix/state.json", "prefix/COMPLETE"]
    folder.push()
    (tmp_path / "state.json").write_text("changed")
    folder.push()
    assert s3.keys[3:] == ["prefix/state.json"]


def test_restored_files_are_not_copied_back(emulated: Emulated, tmp_path: Path) -> None:
    target = tmp_path / "checkpoints"
    folder = MirroredFolder(emulated.s3, f"s3://{BUCKET}/data/rows", target)
    folder.restore()
    assert (target / "train.jsonl").read_text() == "{}\n"
    emulated.s3.delete_object(Bucket=BUCKET, Key="data/rows/train.jsonl")
    folder.push()
    assert emulated.keys("data/rows/train") == []


class _Recorder:
    """An S3 that only notes what is put."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put_object(self, **request: Any) -> None:
        self.keys.append(request["Key"])
