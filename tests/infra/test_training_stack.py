"""Training as it is deployed: its machine, its rules, SageMaker's role, and the image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.components.training_image import CONTEXT, training_image
from local.deploy.cloud_assembly import read_assembly
from tests.infra.templates import TRAINING, Templates, text

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_machine_invokes_the_deployed_functions(templates: Templates) -> None:
    (machine,) = templates.of_type("AWS::StepFunctions::StateMachine", TRAINING).values()
    assert machine["Properties"]["StateMachineName"] == "brightrun-train-adapter"
    deployed = text(machine["Properties"]["DefinitionString"])
    named = [f"{name}TrainingFunction" for name in ("Start", "Watch", "Finish")]
    assert all(name in deployed for name in named)
    assert json.loads(deployed)["StartAt"] == "StartTraining"


@pytest.mark.slow
def test_events_and_a_clock_call_the_sweep(templates: Templates) -> None:
    found = templates.of_type("AWS::Events::Rule", TRAINING)
    rules = [body["Properties"] for body in found.values()]
    (changed,) = [rule for rule in rules if "EventPattern" in rule]
    (timed,) = [rule for rule in rules if "ScheduleExpression" in rule]
    assert changed["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobName": [{"prefix": "brightrun-"}]},
    }
    assert timed["ScheduleExpression"] == "rate(15 minutes)"
    for rule in (changed, timed):
        (target,) = rule["Targets"]
        assert "TrainingEvents" in text(target["Arn"])


@pytest.mark.slow
def test_the_image_is_built_of_this_repository_when_none_is_named(
    assembly: Path, templates: Templates
) -> None:
    assets = json.loads((assembly / f"{TRAINING}.assets.json").read_text())
    (image,) = assets["dockerImages"].values()
    folder = assembly / image["source"]["directory"]
    assert (folder / image["source"]["dockerFile"]).is_file()
    assert image["source"]["platform"] == "linux/amd64"
    chosen = image["source"]["dockerBuildArgs"]
    assert chosen == {"CUDA": "13"}
    text = (folder / image["source"]["dockerFile"]).read_text().replace("${CUDA}", chosen["CUDA"])
    for line in text.splitlines():
        if line.startswith("COPY "):
            assert (folder / line.split()[1]).exists(), line
    environment = templates.functions()["start_training"]["Environment"]["Variables"]
    assert ".dkr.ecr." in json.dumps(environment["TRAINING_IMAGE"])


@pytest.mark.slow
def test_the_image_holds_nothing_but_what_the_dockerfile_copies(assembly: Path) -> None:
    assets = json.loads((assembly / f"{TRAINING}.assets.json").read_text())
    (image,) = assets["dockerImages"].values()
    folder = assembly / image["source"]["directory"]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    allowed_places = ("training_container/", "layers/common/python/brightrun/", ".dockerignore")
    assert [name for name in files if not name.startswith(allowed_places)] == []
    assert len(files) < 100


@pytest.mark.slow
def test_a_local_run_deploys_without_the_image(assembly: Path) -> None:
    (stack,) = [one for one in read_assembly(assembly) if one.name == TRAINING]
    assert all((asset.source).exists() for asset in stack.assets)
    assert not [asset for asset in stack.assets if (asset.source / "training_container").exists()]


def test_the_context_is_what_docker_itself_sends() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = [line for line in lines if line and not line.startswith("#")]
    # CDK needs the Dockerfile among the files; Docker itself does not.
    assert [line for line in sent if line != "training_container/Dockerfile"] == list(CONTEXT)


@pytest.mark.parametrize(
    ("named", "arn"),
    [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/brightrun/training@sha256:" + "ab" * 32,
            ":ecr:eu-west-1:123456789012:repository/brightrun/training",
        ),
        ("public.ecr.aws/brightrun/training:1.0", None),
    ],
)
def test_an_image_that_is_named_is_used_as_it_is(named: str, arn: str | None) -> None:
    from aws_cdk import App, Stack

    image = training_image(Stack(App(), "Example"), named, 13)
    assert image.uri == named
    assert (image.repository_arn or "").endswith(arn or "")
    assert (image.repository_arn is None) is (arn is None)
