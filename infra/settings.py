"""What may differ between two deployments of Bright Run, read once from the CDK context."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlsplit

# Retention periods that are both a CloudWatch Logs choice and long enough to debug a batch.
LOG_RETENTION_CHOICES = (7, 14, 30, 60, 90, 180, 365)
CUDA = (12, 13)
MOST_WORKERS = 900  # of the usual 1,000; AWS keeps 100 unreserved
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DEFAULT_STAGE = "dev"
# Ends the names of stacks and state machines and is part of a Cognito domain, which takes lower
# case only and refuses names that hold one of these three words.
STAGE = re.compile(r"(?!.*(?:aws|amazon|cognito))[a-z][a-z0-9]{0,15}")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """A context value that cannot be deployed; the message says which and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """One deployment's choices; every field is a context key (`cdk deploy -c stage=prod`).

    Raises SettingsError for a value outside its allowed range.
    """

    stage: str = DEFAULT_STAGE  # deployments of two stages share an account and a region
    region: str = "us-east-1"
    account: str = ""  # refuses to deploy to any other; empty: that of the credentials at hand
    allowed_origin: str = "http://127.0.0.1:8610"  # pages beside the console that may call
    throttle_rate_per_s: int = 50  # steady requests a second over the whole API; the next get 429
    throttle_burst: int = 100  # requests at once before the steady rate applies
    log_retention_days: int = 90  # longer costs storage, shorter loses evidence
    noncurrent_version_days: int = 30  # how long an overwritten or deleted object can be restored
    log_level: str = "INFO"
    alarm_email: str = ""  # who gets the alarms by mail; empty: subscribe to the topic by hand
    worker_concurrency: int = 0  # writers of all batches at once; 0: what the account has
    former_indexes: str = "drop"  # "keep" in the first of two deployments that replace an index
    training_image: str = ""  # where SageMaker pulls it from; empty: built from this repository
    training_cuda: int = 13  # of the image that is built; 12 for hosts with a driver before 580

    @classmethod
    def from_context(cls, lookup: Callable[[str], Any]) -> Self:
        """Build the settings from CDK context values, which the command line passes as strings."""
        given = {field.name: lookup(field.name) for field in fields(cls)}
        for field in fields(cls):
            if given[field.name] is None:
                del given[field.name]
            elif isinstance(field.default, int):
                given[field.name] = _whole_number(field.name, given[field.name])
        return cls(**given)

    def named(self, name: str) -> str:
        """A name that is unique in its account and region only, made this stage's own.

        The default stage's have nothing added: a stack of another name would be a new one, without
        the data of the deployments that were made before there were stages.
        """
        return name if self.stage == DEFAULT_STAGE else f"{name}-{self.stage}"

    def __post_init__(self) -> None:
        _require(
            STAGE.fullmatch(self.stage) is not None,
            "stage",
            self.stage,
            "up to 16 lower-case letters and digits, without aws, amazon or cognito",
        )
        _require(
            re.fullmatch(r"(\d{12})?", self.account) is not None,
            "account",
            self.account,
            "12 digits",
        )
        _require(self.region.count("-") >= 2, "region", self.region, "a region such as us-east-1")
        _require(
            _is_origin(self.allowed_origin),
            "allowed_origin",
            self.allowed_origin,
            "one https:// origin without a path (http:// only on the loopback interface)",
        )
        for name in ("throttle_rate_per_s", "throttle_burst"):
            _require(1 <= getattr(self, name) <= 10_000, name, getattr(self, name), "1 to 10000")
        _require(
            self.log_retention_days in LOG_RETENTION_CHOICES,
            "log_retention_days",
            self.log_retention_days,
            f"one of {LOG_RETENTION_CHOICES}",
        )
        _require(
            self.noncurrent_version_days >= 1,
            "noncurrent_version_days",
            self.noncurrent_version_days,
            "at least 1",
        )
        _require(self.log_level in LOG_LEVELS, "log_level", self.log_level, f"one of {LOG_LEVELS}")
        _require(
            not self.alarm_email or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", self.alarm_email),
            "alarm_email",
            self.alarm_email,
            "one e-mail address",
        )
        _require(
            0 <= self.worker_concurrency <= MOST_WORKERS,
            "worker_concurrency",
            self.worker_concurrency,
            f"0 to {MOST_WORKERS}",
        )
        allowed = ("drop", "keep")
        _require(
            self.former_indexes in allowed, "former_indexes", self.former_indexes, str(allowed)
        )
        _require(self.training_cuda in CUDA, "training_cuda", self.training_cuda, f"one of {CUDA}")
        _require(
            not self.training_image or _is_image(self.training_image),
            "training_image",
            self.training_image,
            "an image with its registry and a tag or digest, of at most 255 characters",
        )


def _require(condition: object, name: str, value: object, allowed: str) -> None:
    if not condition:
        message = f"CDK context {name}={value!r} is not allowed: give {allowed}"
        raise SettingsError(message)


def _whole_number(name: str, value: object) -> int:
    text = str(value)
    _require(text.isdecimal(), name, value, "a whole number")
    return int(text)


def _is_image(text: str) -> bool:
    # 255 is SageMaker's own bound; a name without a registry would be looked for on Docker Hub.
    return (
        len(text) <= 255
        and re.fullmatch(r"[\w.-]+\.[\w.:-]+/[\w./-]+[:@][\w.:-]+", text) is not None
    )


def _is_origin(text: str) -> bool:
    url = urlsplit(text)
    bare = f"{url.scheme}://{url.netloc}" == text and url.hostname not in (None, "*")
    return bare and (
        url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK_HOSTS)
    )
