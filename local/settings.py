"""Settings of the local engine: the port, the data folder, what to deploy."""

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.errors import LocalError

DEFAULT_PORT = 8610
HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "local"
"""Access key id and secret of the emulated AWS; they protect nothing."""

MOST_TRAINING_PLACES = 16

REPOSITORY = Path(__file__).parents[1]
USER_NAME = "demo@brightrun.local"


MEMORY = {"MALLOC_ARENA_MAX": "2"}
"""For processes of many threads, each of which would else get memory of its own from glibc."""


def aws_variables(endpoint_url: str) -> dict[str, str]:
    """Return the environment variables that direct an AWS SDK to the emulated AWS only."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
    }


class SettingsError(LocalError):
    """A setting cannot be used; the message says which and what it may be."""


@dataclass(frozen=True)
class Settings:
    """Settings of one engine; paths are absolute, port 0 means any free port."""

    port: int
    data_dir: Path
    template_dir: Path
    simulator_latency_seconds: str | None = None
    anthropic_api_key: str | None = field(default=None, repr=False)
    claude_model: str | None = None
    claude_base_url: str | None = None
    checks_claude: bool = True
    training_python: Path = REPOSITORY / ".venv-train" / "bin" / "python"
    training_entry_point: Path = REPOSITORY / "training_container" / "launch.py"
    training_places: int = 1
    spending: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the stacks: budgets, in US dollars."""

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        port: int | None = None,
        data_dir: Path | None = None,
        template_dir: Path | None = None,
    ) -> "Settings":
        """Read the BRIGHTRUN_ variables and ANTHROPIC_API_KEY; arguments come before them.

        Raises SettingsError for a value that cannot be used.
        """
        text = str(port) if port is not None else environ.get("BRIGHTRUN_PORT", str(DEFAULT_PORT))
        if not text.isdecimal() or int(text) > 65534:
            raise SettingsError(f"The port must be a number from 0 to 65534, got {text!r}.")
        places = environ.get("BRIGHTRUN_TRAINING_PLACES", "1")
        if not places.isdecimal() or not 1 <= int(places) <= MOST_TRAINING_PLACES:
            raise SettingsError(
                "BRIGHTRUN_TRAINING_PLACES says how many training jobs run at a time, from 1 to"
                f" {MOST_TRAINING_PLACES}; got {places!r}."
            )
        return cls(
            port=int(text),
            data_dir=(data_dir or Path(environ.get("BRIGHTRUN_DATA_DIR", ".local"))).absolute(),
            template_dir=(template_dir or Path("cdk.out")).absolute(),
            simulator_latency_seconds=environ.get("BRIGHTRUN_SIMULATOR_LATENCY") or None,
            anthropic_api_key=_api_key(environ),
            claude_model=environ.get("BRIGHTRUN_CLAUDE_MODEL") or None,
            claude_base_url=_base_url(environ),
            checks_claude=environ.get("BRIGHTRUN_CLAUDE_CHECK") != "off",
            training_python=_path(environ, "BRIGHTRUN_TRAINING_PYTHON", cls.training_python),
            training_entry_point=_path(
                environ, "BRIGHTRUN_TRAINING_ENTRY_POINT", cls.training_entry_point
            ),
            training_places=int(places),
            spending=_spending(environ),
        )


_SPENDING = {
    "BRIGHTRUN_BUDGET_USD": "OwnerBudgetUsd",
    "BRIGHTRUN_TRAINING_PRICE_WITHOUT_CAP_USD": "TrainingPriceWithoutCapUsd",
}


def _spending(environ: Mapping[str, str]) -> dict[str, str]:
    given = {name: environ[name] for name in _SPENDING if environ.get(name)}
    for name, amount in given.items():
        if not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount):
            raise SettingsError(f"{name} is US dollars, such as 5 or 0.50; got {amount!r}.")
    return {_SPENDING[name]: amount for name, amount in given.items()}


def _api_key(environ: Mapping[str, str]) -> str | None:
    key = environ.get("ANTHROPIC_API_KEY") or None
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise SettingsError(
            "ANTHROPIC_API_KEY holds spaces, line breaks or characters that no key has: copy the"
            " key anew from the Claude Console."
        )
    return key


def _base_url(environ: Mapping[str, str]) -> str | None:
    url = environ.get("BRIGHTRUN_CLAUDE_BASE_URL") or None
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError(
            f"BRIGHTRUN_CLAUDE_BASE_URL must begin with http:// or https://, got {url!r}."
        )
    return url


def _path(environ: Mapping[str, str], name: str, otherwise: Path) -> Path:
    return Path(environ[name]).absolute() if environ.get(name) else otherwise


@dataclass(frozen=True)
class DataFolder:
    """The files of one engine under its data folder, readable by its owner only."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held while an engine runs; holds its process id and port."""
        return self.root / "engine.lock"

    @property
    def engine_log(self) -> Path:
        """What the engine itself prints in the background."""
        return self.root / "logs" / "engine.log"

    @property
    def logs(self) -> Path:
        """One log file per function."""
        return self.root / "logs"

    @property
    def version(self) -> Path:
        """The format of the folder, a number."""
        return self.root / "version"

    @property
    def holds_data(self) -> bool:
        """Whether an engine has written anything that it could not make again."""
        return self.snapshot.exists() or self.items.exists()

    @property
    def outputs(self) -> Path:
        """The stack outputs, in the shape of ``cdk deploy --outputs-file``."""
        return self.root / "outputs.json"

    @property
    def password(self) -> Path:
        """The password of the local user."""
        return self.root / "password"

    @property
    def snapshot(self) -> Path:
        """The state of all services that keep no journal."""
        return self.root / "aws.json"

    @property
    def items(self) -> Path:
        """The journal of table items."""
        return self.root / "items.jsonl"

    @property
    def executions(self) -> Path:
        """Records and histories of executions."""
        return self.root / "executions"

    @property
    def uploads(self) -> Path:
        """Multipart uploads that are neither completed nor aborted."""
        return self.root / "uploads"

    @property
    def code(self) -> Path:
        """Extracted code of functions and layers."""
        return self.root / "code"

    @property
    def training(self) -> Path:
        """Training jobs: a folder each with its record and log; and the scripted faults."""
        return self.root / "training"

    def create(self) -> None:
        """Create the folders and the log of the engine, for their owner only.

        Raises SettingsError for a folder that cannot be used.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.logs, self.executions, self.code, self.training, self.root / "tmp"):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.engine_log.touch(mode=0o600)
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.root} cannot be used ({error.strerror}): choose another"
                " with --data-dir or BRIGHTRUN_DATA_DIR."
            ) from None
