"""What an invocation has measured becomes one line of its log, of few bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics

from brightrun.core.metrics import NAMESPACE, UNITS, Name, measure, publish

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    publish()
    capsys.readouterr()
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "process_next")
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    publish()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_counts_are_added_up_and_latencies_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    for latency in (900.0, 1500.0):
        measure("ClaudeCalls")
        measure("ClaudeLatency", latency)
    (line,) = written(capsys)
    assert line["ClaudeCalls"] == [2.0]
    assert line["ClaudeLatency"] == [900.0, 1500.0]
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == NAMESPACE
    assert described["Dimensions"] == [["service"]]
    assert line["service"] == "process_next"


def test_the_namespace_is_the_deployments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "BrightRun/prod")
    measure("OrphansStopped")
    (line,) = written(capsys)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BrightRun/prod"


def test_an_invocation_that_measured_nothing_writes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert written(capsys) == []


def test_what_was_published_is_not_published_again(capsys: pytest.CaptureFixture[str]) -> None:
    measure("BatchesCompleted")
    assert len(written(capsys)) == 1
    assert written(capsys) == []


@pytest.mark.parametrize("calls", [1, 100, 400])
def test_metrics_cost_few_bytes_a_call_and_lose_none(
    capsys: pytest.CaptureFixture[str], calls: int
) -> None:
    for number in range(calls):
        for name in ("ClaudeCalls", "ClaudeInputTokens", "ClaudeOutputTokens", "ClaudeCost"):
            measure(name)
        measure("ClaudeLatency", 55_000 + number)
    publish()
    text = capsys.readouterr().out
    assert len(text) < 900 + 20 * calls
    lines = [json.loads(line) for line in text.splitlines()]
    assert sum(len(line.get("ClaudeLatency", [])) for line in lines) == calls
    assert sum(sum(line.get("ClaudeCalls", [])) for line in lines) == calls


def test_a_system_without_cloudwatch_writes_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    for _ in range(250):
        measure("ClaudeLatency", 1.0)
    assert written(capsys) == []


def test_every_metric_is_documented_with_its_unit() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    assert rows == [(name, UNITS.get(name, "Count")) for name in get_args(Name)]


def test_what_is_measured_while_lines_are_written_is_in_the_next_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add = EphemeralMetrics.add_metric

    def beside_another_thread(line: EphemeralMetrics, *metric: Any) -> None:
        add(line, *metric)
        measure("ClaudeFailures")

    measure("ClaudeCalls")
    with monkeypatch.context() as patch:
        patch.setattr(EphemeralMetrics, "add_metric", beside_another_thread)
        (line,) = written(capsys)
    assert "ClaudeFailures" not in line
    (line,) = written(capsys)
    assert line["ClaudeFailures"] == [1.0]
