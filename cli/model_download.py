"""Fetching a delivered model into a folder, verifying the hash of every file."""

import hashlib
from pathlib import Path

from cli.client import ApiClient, Document, segment
from cli.errors import UsageError
from cli.private_files import explained


def download_model(
    client: ApiClient,
    model_id: str,
    folder: Path,
    names: list[str] | None = None,
    *,
    overwrites: bool = False,
) -> list[Document]:
    """Save a model's files, all of them or those named, and give {path, bytes, sha256} of each.

    A file that is there already with the right hash is not fetched again. Raises UsageError when
    the folder cannot be written or holds another file of one of the names, before anything is
    fetched unless it `overwrites`, and UnavailableError for a file whose hash is not the promised
    one.
    """
    from cli.download import require_absent, save_link

    body: Document = {"files": names} if names else {}
    answer = client.post(f"/api/models/{segment(model_id)}/download", body)["data"]
    with explained("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
    # Only the last part of a name from outside: it must not choose the folder.
    targets = {file["name"]: folder / Path(file["name"]).name for file in answer["files"]}
    missing = [file for file in answer["files"] if not _is_there(targets[file["name"]], file)]
    for file in () if overwrites else missing:
        require_absent(targets[file["name"]])
    for file in missing:
        link = Document(
            download_url=answer["download_urls"][file["name"]],
            filename=file["name"],
            file_size=file["size"],
            sha256=file["sha256"],
        )
        save_link(link, targets[file["name"]], client.retry, overwrites=True)
    return [
        Document(path=str(targets[file["name"]]), bytes=file["size"], sha256=file["sha256"])
        for file in answer["files"]
    ]


def require_empty(folder: Path) -> None:
    """Raise UsageError if there is anything in the folder that an adapter is to be written to."""
    with explained("read", folder):
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(
                f"The folder {folder} is not empty; nothing was sent.",
                code="output_exists",
                hint="Name another one with --output, or add --force to write over its files.",
            )


def _is_there(target: Path, file: Document) -> bool:
    return target.exists() and sha256_of(target) == file["sha256"]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with explained("read", path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
