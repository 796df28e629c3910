"""Prepares what Lambda gets: third-party wheels for its arm64 Python, and our own code.

Both carry bytecode. `python -m infra.bundling` builds the Dependencies layer once for each content
of requirements/layer.lock; synthesis uses what is built and never goes to the network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.bytecode import PYTHON, compile_folders, compiler_digest

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "layer.lock"
LAYER = ROOT / "build" / "layer"
CODE = ROOT / "build" / "code"

LAYER_PATH, FUNCTION_PATH = "/opt/python", "/var/task"  # where Lambda unpacks them

# Lambda's python3.14 runs on Amazon Linux 2023, whose glibc is 2.34; a wheel states its oldest.
PLATFORMS = (
    "manylinux2014_aarch64",
    *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 35)),
)
# What no program reads at run time. The rest of each .dist-info stays: entry points are looked up
# there (opentelemetry finds its context that way), and licences must travel with the code.
UNUSED = ("bin", "boto3/examples", "**/tests", "**/*.pyi", "**/__pycache__", "*.dist-info/RECORD")
# What the functions call: botocore comes with models of four hundred services, of 25 MB.
AWS_SERVICES = (
    "dynamodb",
    "s3",
    "sagemaker",
    "secretsmanager",
    "service-quotas",
    "stepfunctions",
)
SIZE_LIMIT_MB = 250  # Lambda's, for a function with its layers, unpacked


class LayerNotBuiltError(RuntimeError):
    """The layer's folder is missing or was built from another lock."""


class LayerBuildError(RuntimeError):
    """pip could not install the locked packages; the message ends with what it said."""


def built_layer_digest(layer: Path = LAYER, lock: Path = LOCK) -> str:
    """Return a digest of the built layer that is the same on every machine for the same content.

    Raises LayerNotBuiltError where the layer is missing or the lock has changed since.
    """
    digest = _layer_digest(lock)
    if not _is_built(layer, digest):
        message = f"{layer} is not built from {lock}: run `make setup`"
        raise LayerNotBuiltError(message)
    return digest


def build_layer(layer: Path = LAYER, lock: Path = LOCK) -> bool:
    """Install the locked packages into `layer` unless they are there; return whether it did.

    Raises LayerBuildError when a package has no wheel for the platform or fails its hash, and
    BytecodeError when they cannot be compiled.
    """
    digest = _layer_digest(lock)
    if _is_built(layer, digest):
        return False
    _digest_file(layer).unlink(missing_ok=True)
    shutil.rmtree(layer, ignore_errors=True)
    packages = layer / "python"
    _install(lock, packages)
    for path in _unused(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    compile_folders({packages: LAYER_PATH})
    _digest_file(layer).write_text(digest, encoding="ascii")
    return True


def _unused(packages: Path) -> list[Path]:
    found = {path for pattern in UNUSED for path in packages.glob(pattern)}
    models = (path for path in packages.glob("botocore/data/*") if path.is_dir())
    found |= {path for path in models if path.name not in AWS_SERVICES}
    return sorted(path for path in found if not found.intersection(path.parents))


@cache
def compiled_code(root: Path = ROOT, code: Path = CODE) -> Path:
    """Return a copy of layers/ and functions/ under `root` with bytecode, and nothing besides.

    It is made once for each content, in a folder of `code` named after it, whose older copies are
    removed. Raises BytecodeError when a module cannot be compiled.
    """
    copy = code / _code_digest(root)
    if not copy.exists():
        code.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=code.parent) as temporary:
            unfinished = Path(temporary) / copy.name
            _copy_and_compile(root, unfinished)
            for older in set(code.iterdir()) - {copy}:
                shutil.rmtree(older, ignore_errors=True)
            _move_unless_there(unfinished, copy)
    return copy


def _move_unless_there(folder: Path, target: Path) -> None:
    try:
        folder.replace(target)
    except OSError:  # another process has finished the same copy
        if not target.exists():
            raise


def _copy_and_compile(root: Path, copy: Path) -> None:
    for path in _sources(root):
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    functions = sorted((copy / "functions").iterdir())
    compile_folders(
        {
            copy / "layers" / "common" / "python": LAYER_PATH,
            **dict.fromkeys(functions, FUNCTION_PATH),
        }
    )


def _sources(root: Path) -> Iterator[Path]:
    """The files of layers/ and functions/, without what Python and editors leave there."""
    for folder in ("functions", "layers"):
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            ignored = "__pycache__" in parts or any(part.startswith(".") for part in parts)
            if path.is_file() and not ignored:
                yield path


def _code_digest(root: Path) -> str:
    digest = hashlib.sha256(compiler_digest().encode())
    for path in _sources(root):
        digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _install(lock: Path, packages: Path) -> None:
    # Without --no-deps, pip would judge the locked packages' markers by the local Python's version.
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--quiet"]
    target = ["--implementation", "cp", "--python-version", PYTHON]
    for platform in PLATFORMS:
        target += ["--platform", platform]
    source = ["--requirement", str(lock), "--target", str(packages)]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pip", "install", *options, *target, *source],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise LayerBuildError(f"pip install failed:\n{done.stderr[-2000:]}")


def _digest_file(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.digest")


def _is_built(layer: Path, digest: str) -> bool:
    file = _digest_file(layer)
    return file.exists() and file.read_text(encoding="ascii") == digest


def _layer_digest(lock: Path) -> str:
    recipe = repr((PLATFORMS, UNUSED, AWS_SERVICES, compiler_digest())).encode()
    return hashlib.sha256(lock.read_bytes() + recipe).hexdigest()


def sizes() -> str:
    """Say in one line how large the layers are, unpacked; both must be built."""
    megabytes = {
        name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        for name, folder in (
            ("Dependencies", LAYER),
            ("BrightRunCode", compiled_code() / "layers" / "common"),
        )
    }
    parts = ", ".join(f"{name} {size:.1f} MB" for name, size in megabytes.items())
    return f"Layers: {parts}, of {SIZE_LIMIT_MB} MB; bytecode for Python {PYTHON}"


def main() -> None:
    """Build the layer and say how large it is."""
    build_layer()
    sys.stdout.write(f"{sizes()}\n")


if __name__ == "__main__":
    main()
