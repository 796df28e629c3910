"""Fetching a delivered model into a folder, verifying the hash of every file."""

import hashlib
from pathlib import Path

from cli.client import ApiClient, Document, segment
from cli.errors import UnavailableError
from cli.private_files import explained

BLOCK_BYTES = 1024 * 1024


def download_model(
    client: ApiClient, model_id: str, folder: Path, names: list[str] | None = None
) -> list[Document]:
    """Save a model's files, all of them or those named, and give {path, bytes, sha256} of each.

    A file that is there already with the right hash is not fetched again. Raises UsageError when
    the folder cannot be written and UnavailableError for a file whose hash is not the promised one.
    """
    from cli.download import save_link

    body: Document = {"files": names} if names else {}
    answer = client.post(f"/api/models/{segment(model_id)}/download", body)["data"]
    with explained("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for file in answer["files"]:
        # Only the last part of a name from outside: it must not choose the folder.
        target = folder / Path(file["name"]).name
        if not (target.exists() and sha256_of(target) == file["sha256"]):
            link = Document(
                download_url=answer["download_urls"][file["name"]],
                filename=file["name"],
                file_size=file["size"],
            )
            save_link(link, target, client.retry)
            _verify(target, file["sha256"])
        saved.append(Document(path=str(target), bytes=file["size"], sha256=file["sha256"]))
    return saved


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with explained("read", path), path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _verify(path: Path, expected: str) -> None:
    found = sha256_of(path)
    if found != expected:
        path.unlink()
        raise UnavailableError(
            f"{path.name} arrived with SHA-256 {found}, but {expected} was promised; it was "
            "deleted.",
            code="wrong_hash",
            hint="Try again.",
        )
