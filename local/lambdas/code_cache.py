"""Function and layer archives, extracted once each under the hash of their content."""

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path


class CodeCache:
    """Extracted archives in one folder; each is extracted to a draft and moved into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def extract(self, archive: bytes) -> Path:
        """Return the folder with an archive's content."""
        target = self._folder / _digest(archive)
        if not target.exists():
            temporary = Path(tempfile.mkdtemp(dir=self._folder))
            zipfile.ZipFile(io.BytesIO(archive)).extractall(temporary)
            try:
                temporary.rename(target)
            except OSError:  # another thread was first
                shutil.rmtree(temporary)
        return target

    def keep_only(self, archives: Iterable[bytes]) -> None:
        """Remove what belongs to none of these archives."""
        kept = {_digest(archive) for archive in archives}
        for folder in self._folder.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder)


def _digest(archive: bytes) -> str:
    return hashlib.sha256(archive).hexdigest()[:32]
