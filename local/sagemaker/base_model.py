"""The tiny base model: built once, and uploaded with the base models of each data folder.

Its tokenizer learns the Claude simulator's phrases, because the conversations of a local run are
made of them. The same phrases give the same weights.
"""

import hashlib
import json
import shutil
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.sagemaker.container import Container
from local.sagemaker.s3_folders import upload_folder
from local.sagemaker.training_environment import TrainingEnvironment, passed_on
from local.settings import REPOSITORY

PREFIX = "brightrun-tiny/v1/"
"""Key and revision of the model in the registry of base models."""

_LAST = "config.json"
"""Uploaded last: where it lies, the model is whole."""

_PHRASES = REPOSITORY / "local" / "claude_simulator" / "conversation" / "phrases"
_BUILDER = (
    REPOSITORY / "training_container" / "tiny_model.py",
    REPOSITORY / "requirements" / "training.lock",
)
"""What decides about the weights, beside the phrases."""
BUILT_MODELS = REPOSITORY / "build" / "tiny_base_model"
"""Models that were built here before: a folder for each digest of the files of both."""
_POLL_SECONDS = 0.2
_LOW_PRIORITY = ("nice", "-n", "5")
"""The build runs at low priority: requests to the system come first."""


class TinyBaseModel:
    """Builds the model in the background; ``state`` describes its progress."""

    def __init__(
        self, environment: TrainingEnvironment, folder: Path, built_models: Path = BUILT_MODELS
    ) -> None:
        self.state = "none: the templates have no bucket for base models"
        self._environment = environment
        self._folder = folder
        self._built_models = built_models
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def provide(self, s3: Any, bucket: str) -> None:
        """Start to provide the model, unless it is in the bucket or torch is not installed."""
        stored = s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX + _LAST)
        if stored["KeyCount"]:
            self.state = "ready"
        elif self._environment.missing:
            self.state = f"skipped: {self._environment.missing}"
        else:
            self.state = "being built"
            self._thread = threading.Thread(target=self._provide, args=(s3, bucket), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait for the end of the build, if there is one."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Abort the build; the next start begins again."""
        self._closing.set()
        self.wait()

    def _provide(self, s3: Any, bucket: str) -> None:
        built = self._built_models / _digest()
        if built.is_dir():
            self._upload(s3, bucket, built)
        else:
            self._build(s3, bucket, built)

    def _build(self, s3: Any, bucket: str, built: Path) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        model = self._folder / "model"
        model.mkdir(parents=True)
        corpus = self._folder / "corpus.jsonl"
        corpus.write_text("\n".join(json.dumps(text) for text in phrases()), "utf-8")
        log = self._folder.with_name("base_model.log")
        builder = [str(self._environment.python), "-m", "training_container.tiny_model"]
        arguments = [str(model), "--corpus", str(corpus)]
        command = [*_LOW_PRIORITY, *builder, *arguments]
        container = Container(command, passed_on(), REPOSITORY, log)
        while (code := container.wait(_POLL_SECONDS)) is None:
            if self._closing.is_set():
                container.kill()
        if code == 0:
            self._upload(s3, bucket, model)
            _keep(model, built)
        else:
            self.state = f"failed with exit code {code}; see {log}"
        shutil.rmtree(self._folder)

    def _upload(self, s3: Any, bucket: str, model: Path) -> None:
        files = sorted(model.iterdir(), key=lambda file: (file.name == _LAST, file.name))
        upload_folder(s3, files, bucket, PREFIX)
        self.state = "ready"


def _digest() -> str:
    digest = hashlib.sha256()
    for file in (*_BUILDER, *_phrase_files()):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _phrase_files() -> list[Path]:
    return sorted(_PHRASES.rglob("*.toml"))


def _keep(model: Path, built: Path) -> None:
    """Keep a model for the next data folder; without room for it, it is built again then."""
    # The folder appears as a whole; where another engine was faster, its model stands.
    with suppress(OSError):
        built.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.parent) as draft:
            shutil.copytree(model, Path(draft) / built.name)
            (Path(draft) / built.name).rename(built)


def phrases() -> Iterator[str]:
    """Yield every text that the Claude simulator's conversations are made of, in a fixed order."""
    for file in _phrase_files():
        yield from _texts(tomllib.loads(file.read_text("utf-8")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
