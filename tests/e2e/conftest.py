"""A running system of the deployed templates, with the client of the command line."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self

import pytest

from cli.batch_watching import BatchStatus, follow_batch
from cli.client import ApiClient
from cli.config import ProfileStore
from cli.outputs import read_profile
from cli.session import LOCAL_PROFILE, Session, sign_in_locally
from local.deploy.clients import client
from local.engine import LocalSystem, start

ROOT = Path(__file__).resolve().parents[2]
SELECTION = {
    "personas": ["overwhelmed_avoider", "anxious_planner", "pragmatic_optimist"],
    "emotional_arcs": ["confusion_to_clarity", "fear_to_confidence"],
    "training_topics": ["roth_ira_conversion", "student_loan_payoff"],
}


class Installation:
    """One data folder, the engine that may run on it, and a signed-in client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._system: LocalSystem | None = None
        self.client: ApiClient
        self.token: Callable[[], str]
        self.username: str

    def start(self, *, latency_seconds: float = 0.0, trains: bool = False) -> None:
        environ = {**os.environ, "BRIGHTRUN_SIMULATOR_LATENCY": str(latency_seconds)}
        if not trains:
            # Else the tiny base model would be built beside every test.
            environ["BRIGHTRUN_TRAINING_PYTHON"] = str(self.folder / "none")
        self._system = start(
            port=0, data_dir=self.folder, template_dir=ROOT / "cdk.out", environ=environ
        )
        store = ProfileStore(self.folder / "profiles")
        self._use(sign_in_locally(self._system.folder.outputs, store))

    @contextmanager
    def as_user(self, name: str, *groups: str) -> Iterator[Self]:
        """The same system as another user of it, who sees nothing of what the others have."""
        user = {"UserPoolId": self.output("UserPoolId"), "Username": name}
        cognito = self.aws("cognito-idp")
        cognito.admin_create_user(**user, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**user, Password=self.password, Permanent=True)
        for group in groups:
            cognito.admin_add_user_to_group(**user, GroupName=group)
        assert self._system is not None
        profile = read_profile(self._system.folder.outputs, LOCAL_PROFILE)
        session = Session(profile, ProfileStore(self.folder / f"profiles of {name}"))
        session.sign_in(name, self.password, lambda: self.password)
        other = copy(self)
        with ExitStack() as other._stack:
            other._use(session)
            yield other

    def _use(self, session: Session) -> None:
        self.client = self._stack.enter_context(ApiClient(session.profile.api_url, session))
        self.token = session.access_token
        self.username = session.username

    def kill(self) -> None:
        """End the engine as a power cut would: no signal handler runs."""
        assert self._system is not None
        os.kill(self._system.process.pid, signal.SIGKILL)
        self._system.process.wait()
        self._system = None

    def stop(self) -> None:
        self._stack.close()
        if self._system is not None:
            self._system.stop()
            self._system = None

    @property
    def pid(self) -> int:
        assert self._system is not None
        return self._system.process.pid

    def script_claude(self, *faults: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.simulator_url}/_simulator/faults",
            data=json.dumps(faults).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["accepted"] == len(faults)

    def reset_claude(self) -> None:
        request = urllib.request.Request(f"{self.simulator_url}/_simulator/reset", data=b"{}")
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["reset"]

    @property
    def simulator_url(self) -> str:
        stack = self.aws("cloudformation").describe_stacks(StackName="BrightRunWorkflows")
        parameters = stack["Stacks"][0]["Parameters"]
        values = {one["ParameterKey"]: one["ParameterValue"] for one in parameters}
        return str(values["ClaudeBaseUrl"])

    def aws(self, service: str) -> Any:
        assert self._system is not None
        return client(service, self._system.api_url)

    @property
    def console_url(self) -> str:
        assert self._system is not None
        return self._system.api_url

    @property
    def password(self) -> str:
        assert self._system is not None
        return self._system.password

    def output(self, name: str) -> str:
        assert self._system is not None
        outputs = {
            key: value for stack in self._system.outputs.values() for key, value in stack.items()
        }
        return outputs[name]

    def create_batch(self, **changes: Any) -> str:
        body = {"name": "e2e", "selection": SELECTION, "concurrentProcessing": 2, **changes}
        return str(self.client.post("/api/conversations/generate-batch", body)["jobId"])

    def follow(self, job_id: str) -> BatchStatus:
        return follow_batch(self.client, job_id, lambda _: None, interval_s=0.2)

    def items(self, job_id: str, **params: str) -> list[dict[str, Any]]:
        path = f"/api/conversations/batch/{job_id}/items"
        items: list[dict[str, Any]] = self.client.get(path, {"limit": 100, **params})["items"]
        return items

    def log(self, job_id: str) -> list[str]:
        lines: list[str] = self.client.get(f"/api/batch-jobs/{job_id}/log", {})["lines"]
        return lines

    def paid_answers(self, job_id: str) -> list[str]:
        """The conversation of every answer of a job that was paid for and kept."""
        logs = self.client.get("/api/generation-logs", {"limit": 100})["logs"]
        return [
            entry["conversation_id"]
            for entry in logs
            if entry["status"] == "success" and entry["run_id"] == job_id
        ]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[], Installation]]:
    """For tests that stop, kill or slow their system."""
    made: list[Installation] = []

    def make() -> Installation:
        made.append(Installation(tmp_path / f"data-{len(made)}"))
        return made[-1]

    yield make
    for installation in made:
        installation.stop()


@pytest.fixture(scope="module")
def shared_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("shared") / "data")
    installation.start()
    yield installation
    installation.stop()


@pytest.fixture
def system(shared_system: Installation) -> Installation:
    """A running system that the tests of a module share; its simulator is reset between them."""
    shared_system.reset_claude()
    return shared_system
