"""The tiny base model's states, without torch."""

import stat
from pathlib import Path

import pytest

from local.sagemaker import base_model
from local.sagemaker.base_model import PREFIX, TinyBaseModel
from local.sagemaker.training_environment import TrainingEnvironment
from tests.local.sagemaker.emulated import BUCKET, TRAINER, Emulated

BUILDER = """#!/bin/sh
shift 2
echo built > "$1/weights"; echo built > "$1/config.json"
cp "$3" "$1/corpus"
"""


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """A program that stands in for Python and the builder of the model."""
    program = tmp_path / "builder"
    program.write_text(BUILDER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _model(python: Path, tmp_path: Path) -> TinyBaseModel:
    environment = TrainingEnvironment(python, TRAINER, "http://127.0.0.1:1")
    return TinyBaseModel(environment, tmp_path / "building" / "base_model", tmp_path / "built")


def test_model_is_built_and_uploaded(emulated: Emulated, builder: Path, tmp_path: Path) -> None:
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    assert model.state == "ready"
    assert emulated.keys(PREFIX) == [PREFIX + name for name in ("config.json", "corpus", "weights")]
    assert not (tmp_path / "building" / "base_model").exists()


def test_model_that_is_there_is_not_built_again(emulated: Emulated, tmp_path: Path) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key=PREFIX + "config.json", Body=b"{}")
    model = _model(tmp_path / "no-python", tmp_path)
    model.provide(emulated.s3, BUCKET)
    assert model.state == "ready"


def test_model_that_was_built_before_is_uploaded_to_the_next_folder_as_it_was(
    emulated: Emulated, builder: Path, tmp_path: Path
) -> None:
    first = _model(builder, tmp_path)
    first.provide(emulated.s3, BUCKET)
    first.wait()
    keys = emulated.keys(PREFIX)
    for key in keys:
        emulated.s3.delete_object(Bucket=BUCKET, Key=key)
    builder.write_text("#!/bin/sh\nexit 1\n")
    second = _model(builder, tmp_path)
    second.provide(emulated.s3, BUCKET)
    second.wait()
    assert (second.state, emulated.keys(PREFIX)) == ("ready", keys)
    assert len(list((tmp_path / "built").iterdir())) == 1


def test_model_of_another_builder_is_not_used(
    emulated: Emulated, builder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "built" / "of-another-builder").mkdir(parents=True)
    monkeypatch.setattr(base_model, "_BUILDER", (builder,))
    for version in ("one", "two"):
        builder.write_text(BUILDER + f"# {version}\n")
        model = _model(builder, tmp_path)
        model.provide(emulated.s3, BUCKET)
        model.wait()
        emulated.s3.delete_object(Bucket=BUCKET, Key=PREFIX + "config.json")
    assert len(list((tmp_path / "built").iterdir())) == 3


def test_model_that_cannot_be_kept_is_uploaded_all_the_same(
    emulated: Emulated, builder: Path, tmp_path: Path
) -> None:
    (tmp_path / "built").write_text("a file, not a folder")
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    assert model.state == "ready"


def test_model_whose_upload_was_cut_off_is_built_again(
    emulated: Emulated, builder: Path, tmp_path: Path
) -> None:
    emulated.s3.put_object(Bucket=BUCKET, Key=PREFIX + "weights", Body=b"half")
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    stored = emulated.s3.get_object(Bucket=BUCKET, Key=PREFIX + "weights")["Body"].read()
    assert stored == b"built\n"


def test_without_torch_it_is_skipped_and_says_so(emulated: Emulated, tmp_path: Path) -> None:
    model = _model(tmp_path / "no-python", tmp_path)
    model.provide(emulated.s3, BUCKET)
    assert model.state.startswith("skipped: the training environment is not installed")
    assert emulated.keys(PREFIX) == []


def test_builder_that_fails_leaves_nothing_and_names_its_log(
    emulated: Emulated, tmp_path: Path
) -> None:
    model = _model(Path("/bin/false"), tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.wait()
    assert model.state.startswith("failed with exit code 1; see ")
    assert emulated.keys(PREFIX) == []


def test_building_ends_with_the_engine(emulated: Emulated, builder: Path, tmp_path: Path) -> None:
    builder.write_text("#!/bin/sh\nexec sleep 60\n")
    model = _model(builder, tmp_path)
    model.provide(emulated.s3, BUCKET)
    model.close()
    assert model.state.startswith("failed with exit code 137")
