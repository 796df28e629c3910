"""The commands of the README and the runbooks do what they say, by the tools' own code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.validate import ParamValidator

from tests.infra.templates import DATA, STACKS, Templates

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GIVEN = re.compile(r"--parameters\s+(\S+?=[^\s`\"]+)")


def documented() -> list[str]:
    """Every --parameters of the documentation but the decisions, which tell what was."""
    texts = [path.read_text("utf-8") for path in DOCUMENTS if path.parent.name != "adr"]
    return [given for text in texts for given in GIVEN.findall(text)]


def sent_for(assembly: Path, *given: str) -> dict[str, dict[str, str]]:
    """The parameters that `cdk deploy --all` sends to each stack."""
    done = subprocess.run(
        ["node", "tests/infra/cdk_parameters.mjs", str(assembly), *given],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    sent: dict[str, dict[str, str]] = json.loads(done.stdout)
    return sent


def unknown(templates: Templates, sent: dict[str, dict[str, str]]) -> set[tuple[str, str]]:
    """What CloudFormation would refuse: parameters that a template does not declare."""
    return {
        (stack, name)
        for stack in STACKS
        for name in sent[stack].keys() - templates.by_stack[stack].get("Parameters", {}).keys()
    }


@pytest.mark.slow
def test_every_documented_parameter_reaches_a_stack_that_has_it_and_no_other(
    assembly: Path, templates: Templates
) -> None:
    given = documented()
    assert len(given) >= 3
    sent = sent_for(assembly, *given)
    assert unknown(templates, sent) == set()
    arrived = {f"{stack}:{name}" for stack, values in sent.items() for name in values}
    assert arrived == {one.partition("=")[0] for one in given}


@pytest.mark.slow
def test_a_parameter_without_its_stack_would_be_refused(
    assembly: Path, templates: Templates
) -> None:
    sent = sent_for(assembly, "ClaudeProvider=aws")
    assert (DATA, "ClaudeProvider") in unknown(templates, sent)


def test_a_deployment_elsewhere_does_not_become_the_local_system() -> None:
    """`make up` serves cdk.out, whichever region and stage were deployed last."""
    output = json.loads((ROOT / "cdk.json").read_text("utf-8"))["output"]
    assert output == "build/deploy"
    assert re.search(r"^build/$", (ROOT / ".gitignore").read_text("utf-8"), re.MULTILINE)


def test_the_readme_creates_a_user_who_gets_an_e_mail_and_can_recover() -> None:
    command = re.search(
        r"^aws cognito-idp admin-create-user(?:.*\\\n)*.*$",
        (ROOT / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert command
    options: dict[str, list[str]] = {}
    for word in shlex.split(command[0].replace("\\\n", " "))[3:]:
        if word.startswith("--"):
            options[word] = []
        else:
            options[[*options][-1]].append(word)
    attributes = [
        dict(part.split("=", 1) for part in one.split(",")) for one in options["--user-attributes"]
    ]
    request = {
        "UserPoolId": "us-east-1_pool",
        "Username": options["--username"][0],
        "DesiredDeliveryMediums": options["--desired-delivery-mediums"],
        "UserAttributes": attributes,
    }
    assert options.keys() == {
        "--user-pool-id",
        "--username",
        "--desired-delivery-mediums",
        "--user-attributes",
    }
    model = boto3.client("cognito-idp", region_name="us-east-1").meta.service_model
    shape = model.operation_model("AdminCreateUser").input_shape
    assert shape is not None
    assert not ParamValidator().validate(request, shape).has_errors()
    assert request["DesiredDeliveryMediums"] == ["EMAIL"]
    verified = {one["Name"]: one["Value"] for one in attributes}
    assert verified == {"email": request["Username"], "email_verified": "true"}
