"""Builds the Dependencies layer, third-party wheels for Lambda's arm64 Python, without Docker.

`python -m infra.bundling` builds it once for each content of requirements/layer.lock; synthesis
only uses what is built and never goes to the network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "layer.lock"
LAYER = ROOT / "build" / "layer"

PYTHON = "3.14"
# Lambda's python3.14 runs on Amazon Linux 2023, whose glibc is 2.34; a wheel states its oldest.
PLATFORMS = (
    "manylinux2014_aarch64",
    *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 35)),
)
# What no program reads at run time. The rest of each .dist-info stays: entry points are looked up
# there (opentelemetry finds its context that way), and licences must travel with the code.
UNUSED = ("bin", "**/tests", "**/*.pyi", "**/__pycache__", "*.dist-info/RECORD")


class LayerNotBuiltError(RuntimeError):
    """The layer's folder is missing or was built from another lock."""


class LayerBuildError(RuntimeError):
    """pip could not install the locked packages; the message ends with what it said."""


def built_layer_digest(layer: Path = LAYER, lock: Path = LOCK) -> str:
    """Return a digest of the built layer that is the same on every machine for the same content.

    Raises LayerNotBuiltError where the layer is missing or the lock has changed since.
    """
    stamp = _stamp(layer)
    built_from = stamp.read_text(encoding="ascii") if stamp.exists() else "nothing"
    if built_from not in (_digest(lock, compiled) for compiled in (True, False)):
        message = f"{layer} is not built from {lock}: run `make setup`"
        raise LayerNotBuiltError(message)
    return built_from


def build(layer: Path = LAYER, lock: Path = LOCK) -> bool:
    """Install the locked packages into `layer` unless they are there; return whether it did.

    Raises LayerBuildError when a package has no wheel for the platform or fails its hash.
    """
    interpreter = python_of_lambda()
    digest = _digest(lock, compiled=interpreter is not None)
    stamp = _stamp(layer)
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return False
    stamp.unlink(missing_ok=True)
    shutil.rmtree(layer, ignore_errors=True)
    packages = layer / "python"
    _install(lock, packages)
    for pattern in UNUSED:
        for path in sorted(packages.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if interpreter:
        compile_unchecked(packages, interpreter)
    stamp.write_text(digest, encoding="ascii")
    return True


def python_of_lambda() -> str | None:
    """Return an interpreter of Lambda's Python version, or None: bytecode fits only its own."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        return sys.executable
    return shutil.which(f"python{PYTHON}")


def compile_unchecked(packages: Path, interpreter: str) -> None:
    """Compile all modules to bytecode that is not compared with the source's time at import.

    Lambda unpacks a layer with other file times and cannot write to it, so ordinary bytecode would
    be thrown away and compiled anew at every cold start.
    """
    _run(
        [
            interpreter,
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            str(packages),
        ]
    )


def _install(lock: Path, packages: Path) -> None:
    # Without --no-deps, pip would judge the locked packages' markers by the local Python's version.
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--quiet"]
    target = ["--implementation", "cp", "--python-version", PYTHON]
    for platform in PLATFORMS:
        target += ["--platform", platform]
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            *options,
            *target,
            "--requirement",
            str(lock),
            "--target",
            str(packages),
        ]
    )


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode:
        message = f"{' '.join(command[1:4])} failed:\n{done.stderr[-2000:]}"
        raise LayerBuildError(message)


def _stamp(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.digest")


def _digest(lock: Path, compiled: bool) -> str:
    recipe = repr((PYTHON, PLATFORMS, UNUSED, compiled)).encode()
    return hashlib.sha256(lock.read_bytes() + recipe).hexdigest()


def main() -> None:
    """Build the layer and say what is in it."""
    built = build()
    megabytes = sum(path.stat().st_size for path in LAYER.rglob("*") if path.is_file()) / 1e6
    bytecode = (
        f"with bytecode for Python {PYTHON}"
        if python_of_lambda()
        else f"without bytecode, because no python{PYTHON} is installed here: "
        "it works, but each cold start compiles what it imports"
    )
    sys.stdout.write(
        f"Dependencies layer {'built' if built else 'up to date'}: {megabytes:.0f} MB, {bytecode}\n"
    )


if __name__ == "__main__":
    main()
