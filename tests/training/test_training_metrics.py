"""Metrics: lines that SageMaker's expressions match, files across restarts, failing sinks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.training.jobs import train_here, write_job
from training_container.trainer.metrics import (
    FILE_NAME,
    METRIC_DEFINITIONS,
    START,
    UNMEASURED,
    JsonLinesSink,
    Metrics,
    StdoutSink,
    open_metrics,
)


class BrokenSink:
    def __init__(self) -> None:
        self.calls = 0

    def write(self, _record: dict[str, Any]) -> None:
        self.calls += 1
        raise OSError("disk full")


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_definition_finds_its_figures_in_a_real_run(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = train_here(write_job(tmp_path, tiny_model, {"epochs": "1"}))
    lines = capsys.readouterr().out.splitlines()
    found = {
        definition["Name"]: [
            float(match[1]) for line in lines if (match := re.search(definition["Regex"], line))
        ]
        for definition in METRIC_DEFINITIONS
    }
    assert found.pop("train:gpu_utilization") == []
    assert all(found.values())
    assert found["train:step"] == list(range(1, results["steps"] + 1))
    assert found["train:loss"] == pytest.approx(results["losses"], rel=1e-5)
    measured = [evaluation["loss"] for evaluation in results["evaluations"]]
    assert found["validation:loss"] == pytest.approx(measured, rel=1e-5)


def test_definitions_keep_to_sagemakers_limits() -> None:
    assert len(METRIC_DEFINITIONS) <= 40
    for definition in METRIC_DEFINITIONS:
        assert re.compile(definition["Regex"]).groups == 1
        assert len(definition["Regex"]) <= 500


def test_files_record_the_run_in_stages_and_steps(tiny_model: Path, tmp_path: Path) -> None:
    results = train_here(write_job(tmp_path, tiny_model, {"epochs": "1"}))
    written = records(tmp_path / "output" / "data" / FILE_NAME)
    stages = [record["stage"] for record in written if record["kind"] == "stage"]
    measured = ["validating", "training"]
    assert stages == ["loading", "loading", "training", *measured, *measured, "saving", "done"]
    assert written[-1]["status"] == results["status"] == "completed"
    steps = [record for record in written if record["kind"] == "step"]
    assert [record["train_loss"] for record in steps] == results["losses"]
    assert records(tmp_path / "checkpoints" / FILE_NAME) == written


def test_every_record_has_the_position_in_the_run_and_what_was_measured(
    tiny_model: Path, tmp_path: Path
) -> None:
    results = train_here(write_job(tmp_path, tiny_model, {"epochs": "1"}))
    written = records(tmp_path / "checkpoints" / FILE_NAME)
    assert all(set(record) >= {"kind", "time", *START, *UNMEASURED} for record in written)
    assert [record["step"] for record in written] == sorted(record["step"] for record in written)
    assert {record["total_steps"] for record in written} == {0, results["total_steps"]}
    steps = [record for record in written if record["kind"] == "step"]
    figures = ("train_loss", "learning_rate", "grad_norm", "tokens_per_second", "epoch", "time")
    assert all(isinstance(step[figure], float) for step in steps for figure in figures)
    assert {step["stage"] for step in steps} == {"training"}
    assert {step["gpu_utilization"] for step in steps} == {None}  # there is no GPU here
    evaluations = [record for record in written if record["kind"] == "evaluation"]
    losses = [evaluation["loss"] for evaluation in results["evaluations"]]
    assert [record["validation_loss"] for record in evaluations] == losses
    assert {record["stage"] for record in evaluations} == {"validating"}
    assert evaluations[-1]["epoch"] == steps[-1]["epoch"] == 1.0


def test_sink_that_fails_is_left_out_and_the_others_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = BrokenSink()
    metrics = Metrics([broken, StdoutSink()], clock=lambda: 0.0)
    metrics.stage("loading")
    metrics.record("step", step=1, total_steps=2, epoch=0.5, train_loss=3.0)
    captured = capsys.readouterr()
    assert captured.out == (
        "kind=stage stage=loading step=0 total_steps=0 epoch=0\n"
        "kind=step step=1 total_steps=2 epoch=0.5 train_loss=3 stage=loading\n"
    )
    assert "BrokenSink failed and is left out: disk full" in captured.err
    assert broken.calls == 1


def test_job_whose_sink_fails_still_yields_an_adapter(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonLinesSink, "write", BrokenSink.write)
    monkeypatch.setattr(JsonLinesSink, "calls", 0, raising=False)
    results = train_here(write_job(tmp_path, tiny_model, {"epochs": "1"}))
    assert results["status"] == "completed"
    assert (tmp_path / "model" / "adapter_model.safetensors").is_file()


def test_resumed_run_deletes_the_records_it_will_write_again(tmp_path: Path) -> None:
    kept, shown = tmp_path / "checkpoints", tmp_path / "output"
    kept.mkdir()
    shown.mkdir()
    first = Metrics([JsonLinesSink(kept / FILE_NAME)])
    for step in range(1, 7):
        first.record("step", step=step)
    with (kept / FILE_NAME).open("a") as lines:
        lines.write('{"kind": "step", "st')
    open_metrics(kept, shown, is_main=True).resume(4)
    for folder in (kept, shown):
        written = [record["step"] for record in records(folder / FILE_NAME)]
        assert written == [1, 2, 3, 4, 4]


def test_only_the_main_process_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_metrics(tmp_path, tmp_path, is_main=False).stage("training")
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []
