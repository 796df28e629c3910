"""Fixtures of the trainer's tests: tiny models, built once, and jobs over folders like /opt/ml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No deadlines: a busy machine must not fail an example.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

NEEDS_TORCH = "torch is not installed here; the trainer's tests need requirements/training.in"
THIRD_PARTY_WARNINGS = (
    "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning",  # peft asks transformers 5
)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> None:
    """Skip these files as a whole, before they are imported, where there is no torch."""
    pytest.importorskip("torch", reason=NEEDS_TORCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for line in THIRD_PARTY_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(line))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ChatML base model of 100 kB."""
    from training_container.tiny_model import build_tiny_model

    folder = tmp_path_factory.mktemp("models") / "chatml"
    build_tiny_model(folder, vocabulary=600, hidden=32)
    return folder


@pytest.fixture(scope="session")
def tokenizer_of() -> Callable[[str], Any]:
    """A tokenizer with the named chat-template style."""
    from functools import cache

    from training_container.tiny_model import sentences, tiny_tokenizer

    @cache
    def build(style: str) -> Any:
        return tiny_tokenizer(list(sentences(0, 100)), style, 600)

    return build


@pytest.fixture
def chat_of(tokenizer_of: Callable[[str], Any]) -> Callable[[str], Any]:
    """The ChatFormat of the named chat-template style."""
    from training_container.trainer.chat import chat_format

    return lambda style: chat_format(tokenizer_of(style), {})


@pytest.fixture
def run_job(tiny_model: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a job with these hyperparameters over the SMALL ones, run it, give its results."""

    from tests.training.jobs import train_here, write_job

    def run(name: str = "job", rows: Any = None, **hyperparameters: str) -> dict[str, Any]:
        return train_here(write_job(tmp_path / name, tiny_model, hyperparameters, rows))

    return run
