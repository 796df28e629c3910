"""Multipart uploads under way on disk."""

from pathlib import Path

from local.durability.upload_store import UploadStore

UPLOAD = {"bucket": "b", "key": "k", "parts": {}, "metadata": {"m": "1"}}


def _part(body: bytes) -> dict[str, object]:
    return {"body": body, "etag": '"e"', "size": len(body)}


def test_upload_is_read_back_with_its_parts_in_order(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    store.begin("u1", UPLOAD)
    for number in (10, 2, 2):
        store.add_part("u1", number, _part(b"x" * number))
    [(upload_id, upload)] = UploadStore(tmp_path).load()
    assert upload_id == "u1"
    assert upload == {**UPLOAD, "parts": {2: _part(b"xx"), 10: _part(b"x" * 10)}}
    assert list(upload["parts"]) == [2, 10]


def test_part_whose_record_was_not_written_is_no_part(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    store.begin("u1", UPLOAD)
    (tmp_path / "u1" / "1.body").write_bytes(b"torn")
    assert dict(store.load())["u1"]["parts"] == {}


def test_upload_whose_record_was_not_written_is_dropped(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    (tmp_path / "u1").mkdir()
    assert list(store.load()) == []
    assert list(tmp_path.iterdir()) == []


def test_removed_upload_is_gone(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    store.begin("u1", UPLOAD)
    store.remove("u1")
    assert list(store.load()) == []
