"""Where the smoke test runs: the local engine, or a stage of its own on AWS."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.client import ApiClient
from cli.config import ProfileStore
from cli.outputs import read_profile
from cli.session import Session, sign_in_locally
from cli.training_options import LOCAL_GPU, local_model
from infra.destroy import destroy
from infra.outputs import read_outputs
from infra.settings import StageSettings
from smoke.steps import SmokeFailed, Training

if TYPE_CHECKING:
    from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
USER = "smoke@brightrun.invalid"
AWS_TRAINING = Training("qwen2.5-1.5b-instruct", "L4", max_cost_usd=2.0)
"""The smallest base model that is not gated, on the cheapest GPU; a job ends before its limit."""


@contextmanager
def local_system(console: "Console") -> Iterator[tuple[ApiClient, Training]]:
    """Start an engine over a folder of its own, and sign in."""
    from local.engine import start

    with tempfile.TemporaryDirectory(prefix="brightrun-smoke-") as folder:
        console.print("Starting the deployed templates on this machine...")
        system = start(port=0, data_dir=Path(folder) / "data", environ=dict(os.environ))
        try:
            session = sign_in_locally(system.folder.outputs, ProfileStore(Path(folder) / "cli"))
            with ApiClient(session.profile.api_url, session) as client:
                yield client, Training(local_model(client), LOCAL_GPU)
        finally:
            system.stop()


@contextmanager
def stage_on_aws(
    settings: StageSettings, console: "Console", *, keep: bool
) -> Iterator[tuple[ApiClient, Training]]:
    """Deploy a stage, give it a user and a key, and destroy it with all its data at the end.

    Raises SmokeFailed without a key of Claude, and CalledProcessError when a command fails.
    """
    import boto3

    key = os.environ.get("ANTHROPIC_API_KEY", "")
    if not key:
        raise SmokeFailed("ANTHROPIC_API_KEY is not set: on AWS Claude writes, not the simulator.")
    aws = boto3.Session(region_name=settings.region)
    with tempfile.TemporaryDirectory(prefix="brightrun-smoke-") as folder:
        outputs = Path(folder) / "outputs.json"
        try:
            deploy(settings, outputs)
            session = sign_in(aws, outputs, key, ProfileStore(Path(folder) / "cli"))
            with ApiClient(session.profile.api_url, session) as client:
                yield client, AWS_TRAINING
        finally:
            if keep:
                console.print(f"Stage {settings.stage} stays: `make destroy` takes it down.")
            else:
                for line in destroy(settings, aws, delete_data=True):
                    console.print(line, soft_wrap=True)


def deploy(settings: StageSettings, outputs: Path) -> None:
    """Deploy with `make deploy`, as a person would."""
    options = f"-c stage={settings.stage} -c region={settings.region} --require-approval never"
    command = ["make", "deploy", f"OPTIONS={options}", f"OUTPUTS={outputs}"]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - settings are checked words


def sign_in(aws: Any, outputs: Path, key: str, store: ProfileStore) -> Session:
    """Store the key of Claude, make a user with a password of its own, and sign in as it."""
    named = read_outputs(outputs)
    aws.client("secretsmanager").put_secret_value(
        SecretId=named["ClaudeApiKeySecretArn"], SecretString=key
    )
    pool, password = named["UserPoolId"], f"Aa1-{secrets.token_urlsafe(24)}"
    cognito = aws.client("cognito-idp")
    attributes = [{"Name": "email", "Value": USER}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(
        UserPoolId=pool, Username=USER, UserAttributes=attributes, MessageAction="SUPPRESS"
    )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=USER, Password=password, Permanent=True
    )
    session = Session(read_profile(outputs, "smoke"), store)
    session.sign_in(USER, password, lambda: password)
    return session
