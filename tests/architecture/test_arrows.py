"""The arrows of the architecture point inward: functions -> bootstrap -> services -> domain."""

from __future__ import annotations

import pytest

from tests.architecture.source import Module, imports_any, modules, names_used, within

AWS = ("boto3", "botocore", "aws_lambda_powertools", "mypy_boto3_dynamodb", "mypy_boto3_s3")
NETWORK = ("socket", "urllib.request", "http.client", "httpx", "httpx2", "requests", "anthropic")
CLOCKS = ("time.time", "time.monotonic", "time.sleep", "datetime.now", "datetime.utcnow")
ENVIRONMENT = ("os.environ", "os.getenv")
OUTSIDE = ("functions", "infra", "local", "cli", "tests", "benchmarks")

FILES_ONLY = (
    "brightrun.services",
    "brightrun.repositories",
    "brightrun.gateways",
    "brightrun.api",
    "brightrun.bootstrap",
    "brightrun.settings",
)
INNER = {
    "brightrun.domain": (
        "brightrun.services",
        "brightrun.repositories",
        "brightrun.gateways",
        "brightrun.api",
        "brightrun.bootstrap",
        "brightrun.settings",
        "brightrun.ports",
        "brightrun.observability",
    ),
    "brightrun.ports": (
        "brightrun.services",
        "brightrun.repositories",
        "brightrun.gateways",
        "brightrun.api",
        "brightrun.bootstrap",
        "brightrun.settings",
    ),
    "brightrun.services": (
        "brightrun.repositories",
        "brightrun.gateways",
        "brightrun.api",
        "brightrun.bootstrap",
        "brightrun.settings",
    ),
    "brightrun.repositories": (
        "brightrun.services",
        "brightrun.gateways",
        "brightrun.api",
        "brightrun.bootstrap",
        "brightrun.settings",
    ),
    "brightrun.gateways": (
        "brightrun.services",
        "brightrun.repositories",
        "brightrun.api",
        "brightrun.bootstrap",
        "brightrun.settings",
    ),
    "brightrun.api": ("brightrun.repositories", "brightrun.gateways", "brightrun.settings"),
    "brightrun.formats": FILES_ONLY,
    "brightrun.validation": FILES_ONLY,
    "brightrun.sft": (
        *FILES_ONLY,
        "brightrun.domain",
        "brightrun.ports",
        "brightrun.errors",
        "brightrun.formats",
        "brightrun.validation",
        "brightrun.observability",
        "pydantic",
        "torch",
        "transformers",
    ),
}
"""What each package of the shared code must not know of. The training image has brightrun.sft and
nothing else of it."""

INSIDE = ("brightrun.domain", "brightrun.services", "brightrun.ports", "brightrun.sft")


def named(found: list[tuple[Module, list[str]]]) -> list[str]:
    return [f"{module.where}: {', '.join(names)}" for module, names in found if names]


def importing(package: str, others: tuple[str, ...], *, for_types: bool = True) -> list[str]:
    found = [(one, imports_any(one, others, for_types=for_types)) for one in within(package)]
    return named(found)


def using(package: str, names: tuple[str, ...]) -> list[str]:
    return named([(one, sorted(set(names) & set(names_used(one)))) for one in within(package)])


@pytest.mark.parametrize("package", INNER)
def test_a_package_knows_only_what_lies_further_in(package: str) -> None:
    assert importing(package, INNER[package]) == []


@pytest.mark.parametrize("package", INSIDE)
def test_the_inside_knows_neither_aws_nor_the_network(package: str) -> None:
    assert importing(package, AWS + NETWORK) == []


@pytest.mark.parametrize("package", INSIDE)
def test_the_inside_is_told_the_time_and_its_settings(package: str) -> None:
    assert using(package, CLOCKS + ENVIRONMENT) == []


def test_the_domain_does_not_even_import_a_clock() -> None:
    assert importing("brightrun.domain", ("time", "asyncio", "threading")) == []


def test_the_shared_package_knows_no_entry_point() -> None:
    assert importing("brightrun", OUTSIDE) == []


def test_only_settings_read_the_environment() -> None:
    assert using("brightrun", ENVIRONMENT) == using("brightrun.settings", ENVIRONMENT) != []


def test_only_gateways_know_anthropic() -> None:
    known = [one for one in modules() if imports_any(one, ("anthropic",), for_types=True)]
    assert known
    assert [one.where for one in known if not one.within("brightrun.gateways")] == []


def test_anthropic_is_imported_by_the_functions_that_need_it() -> None:
    """It takes half a second to import, which the other functions' cold starts are spared."""
    at_the_top = [
        one.where
        for one in within("brightrun.gateways")
        for node in one.tree.body
        if "anthropic" in getattr(node, "module", "") or _imports(node, "anthropic")
    ]
    assert at_the_top == []


def _imports(node: object, name: str) -> bool:
    return any(alias.name == name for alias in getattr(node, "names", ()))


@pytest.mark.parametrize("package", ["functions", "cli"])
def test_the_doors_leave_aws_to_the_packages_behind_them(package: str) -> None:
    allowed = {"cli.user_pool"}  # Signing in is a call to Cognito, made by the command itself.
    found = [
        (one, imports_any(one, ("boto3", "botocore"), for_types=True))
        for one in within(package)
        if one.name not in allowed
    ]
    assert named(found) == []


def test_the_command_talks_to_the_api_and_not_to_the_code_behind_it() -> None:
    """Only what needs no system, converting and validating files, is done in the command itself."""
    behind = ("services", "repositories", "gateways", "api", "bootstrap", "settings", "ports")
    hidden = tuple(f"brightrun.{name}" for name in behind)
    assert importing("cli", (*hidden, "functions", "local", "infra")) == []


def test_deployed_code_knows_nothing_of_the_local_engine() -> None:
    assert importing("functions", ("local", "infra", "cli")) == []
    assert importing("infra", ("local", "cli", "functions")) == []
