"""Archives are extracted once, and removed when nothing refers to them."""

from pathlib import Path

from local.deploy.assets import pack
from local.lambdas.code_cache import CodeCache


def _archive(folder: Path, text: str) -> bytes:
    folder.mkdir(exist_ok=True)
    (folder / "module.py").write_text(text)
    return pack([folder / "module.py"], folder)


def test_archive_is_extracted_once(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path / "code")
    archive = _archive(tmp_path / "source", "A = 1\n")
    first = cache.extract(archive)
    (first / "module.py").write_text("A = 2\n")
    assert cache.extract(archive) == first
    assert (first / "module.py").read_text() == "A = 2\n"


def test_only_named_archives_are_kept(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path / "code")
    old = _archive(tmp_path / "source", "old\n")
    new = _archive(tmp_path / "source", "new\n")
    gone, kept = cache.extract(old), cache.extract(new)
    cache.keep_only([new])
    assert not gone.exists()
    assert kept.exists()
