"""model.tar.gz as a stream: regular files pass, hostile members do not, memory stays small."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tracemalloc
from collections.abc import Callable

import pytest

from brightrun.core.errors import UnusableAdapterError
from brightrun.training.adapters import archive
from brightrun.training.adapters.archive import files_of
from tests.fakes.adapter import packed


def read(archive: bytes) -> dict[str, tuple[int, str]]:
    found = {}
    for name, size, content in files_of(io.BytesIO(archive)):
        while content.read(1000):
            pass
        found[name] = (size, content.sha256)
    return found


def with_member(change: Callable[[tarfile.TarInfo], object], body: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        member = tarfile.TarInfo("file.json")
        member.size = len(body)
        change(member)
        archive.addfile(member, io.BytesIO(body))
    return target.getvalue()


def test_every_file_is_passed_through_with_its_size_and_hash() -> None:
    files = {"a.json": b"{}", "b/c.safetensors": b"x" * 5000}
    expected = {name: (len(body), hashlib.sha256(body).hexdigest()) for name, body in files.items()}
    assert read(packed(files)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up.json",
        "a/../../up.json",
        "a//b",
        ".hidden",
        "a\nb",
        "a/b/c/d",
        "é",
        "x" * 201,
    ],
)
def test_a_name_that_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(UnusableAdapterError, match="name"):
        read(with_member(lambda member: setattr(member, "name", name)))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_what_is_no_plain_file_is_refused(kind: bytes) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    with pytest.raises(UnusableAdapterError, match="not a regular file"):
        read(with_member(change))


def test_a_file_that_comes_twice_is_refused() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a.json"), io.BytesIO())
    with pytest.raises(UnusableAdapterError, match="twice"):
        read(target.getvalue())


def test_too_many_files_are_refused() -> None:
    with pytest.raises(UnusableAdapterError, match="files"):
        read(packed({f"{number}.json": b"" for number in range(201)}))


def test_more_than_an_adapter_can_have_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(UnusableAdapterError, match="GiB"):
        read(packed({"a.json": b"x" * 1001}))


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no archive at all",
        gzip.compress(b"no tar" * 200),
        packed({"a.json": b"x" * 100_000})[:-40],
        packed({"a.json": bytes(range(256)) * 400})[:300],
    ],
    # Archives hold the second they were made in, and a test's name must not.
    ids=["empty", "text", "not a tar", "without its end", "only a beginning"],
)
def test_a_damaged_archive_is_refused(archive: bytes) -> None:
    with pytest.raises(UnusableAdapterError):
        read(archive)


def test_a_bomb_does_not_fill_the_memory() -> None:
    bomb = packed({"a.json": bytes(64 * 1024 * 1024)})
    assert len(bomb) < 100_000
    tracemalloc.start()
    read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_a_header_that_would_have_to_be_held_in_memory_is_refused() -> None:
    member = tarfile.TarInfo("pax")
    member.type = tarfile.XHDTYPE
    member.size = 1024 * 1024 * 1024
    archive = gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(100_000))
    with pytest.raises(UnusableAdapterError, match="header of 1073741824 bytes"):
        read(archive)
