"""The policy pack: nothing open, every acknowledgement needed, explained and in its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import acknowledgements, policy
from infra.settings import StageSettings

pytestmark = pytest.mark.slow


def open_findings(assembly: Path) -> set[tuple[str, str]]:
    report = json.loads((assembly / "validation-report.json").read_text())
    return {
        (construct["constructPath"], violation["ruleName"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def test_nothing_is_open(assembly: Path) -> None:
    assert open_findings(assembly) == set()


def test_every_acknowledgement_answers_a_finding_and_every_finding_is_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.app import build_app

    expected = {
        (accepted.path, accepted.finding)
        for accepted in acknowledgements.acknowledged(StageSettings())
    }
    monkeypatch.setattr(acknowledgements, "ACKNOWLEDGEMENTS", ())
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        build_app(str(tmp_path)).synth()
    assert open_findings(tmp_path) == expected


def test_every_acknowledgement_has_a_reason_of_substance(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("acknowledgements", len(acknowledgements.ACKNOWLEDGEMENTS))
    assert all(len(accepted.reason) >= 40 for accepted in acknowledgements.ACKNOWLEDGEMENTS)


def test_no_finding_is_acknowledged_for_a_whole_stack() -> None:
    assert all(accepted.path.count("/") >= 1 for accepted in acknowledgements.ACKNOWLEDGEMENTS)
    pairs = Counter(
        (accepted.path, accepted.finding) for accepted in acknowledgements.ACKNOWLEDGEMENTS
    )
    assert set(pairs.values()) == {1}


def test_a_careless_stack_stops_the_synthesis(tmp_path: Path) -> None:
    from aws_cdk import App, Stack
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_s3 as s3

    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Careless")
    s3.Bucket(stack, "Open")
    role = iam.Role(stack, "Mighty", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
    policy.enforce_policy(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    rules = {rule for _, rule in open_findings(tmp_path)}
    assert {"AwsSolutions-S1", "AwsSolutions-S10", "AwsSolutions-IAM5[Action::s3:*]"} <= rules


def test_an_acknowledgement_of_a_missing_resource_is_an_error(tmp_path: Path) -> None:
    from aws_cdk import App

    with pytest.raises(RuntimeError, match="BrightRun"):
        policy.acknowledge(App(outdir=str(tmp_path)), StageSettings())
