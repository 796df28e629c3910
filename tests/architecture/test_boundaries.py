"""What each part of the product must not know of: entry points, the network, AWS, Claude."""

from __future__ import annotations

import pytest

from tests.architecture.source import Module, imports_any, modules, names_used, within

AWS = ("boto3", "botocore", "aws_lambda_powertools", "mypy_boto3_dynamodb", "mypy_boto3_s3")
NETWORK = ("socket", "urllib.request", "http.client", "httpx", "httpx2", "requests", "anthropic")
ENVIRONMENT = ("os.environ", "os.getenv")
OUTSIDE = ("functions", "infra", "local", "cli", "smoke", "tests", "benchmarks")

OFFLINE = ("brightrun.core", "brightrun.catalog", "brightrun.formats", "brightrun.validation")
"""Packages that run anywhere: in a Lambda, in the command, on a laptop without a network."""

TRAINERS = ("brightrun.formats", "brightrun.sft")
"""The training image has these packages and nothing else of `brightrun`."""


def named(found: list[tuple[Module, list[str]]]) -> list[str]:
    return [f"{module.where}: {', '.join(names)}" for module, names in found if names]


def importing(package: str, others: tuple[str, ...], *, for_types: bool = True) -> list[str]:
    found = [(one, imports_any(one, others, for_types=for_types)) for one in within(package)]
    return named(found)


def using(package: str, names: tuple[str, ...]) -> list[str]:
    return named([(one, sorted(set(names) & set(names_used(one)))) for one in within(package)])


@pytest.mark.parametrize("package", sorted({*OFFLINE, *TRAINERS}))
def test_what_runs_anywhere_knows_neither_aws_nor_the_network(package: str) -> None:
    observing = ("brightrun.core.logging", "brightrun.core.metrics")
    found = [
        (one, imports_any(one, AWS + NETWORK, for_types=True))
        for one in within(package)
        if one.name not in observing
    ]
    assert named(found) == []


def test_what_the_trainer_has_needs_nothing_else_of_the_product() -> None:
    others = [
        name
        for package in TRAINERS
        for module in within(package)
        for name in imports_any(module, ("brightrun", "pydantic", "torch", "transformers"))
        if not name.startswith(tuple(f"{one}." for one in TRAINERS))
    ]
    assert others == []


def test_the_shared_package_knows_no_entry_point() -> None:
    assert importing("brightrun", OUTSIDE) == []


def test_only_settings_read_the_environment() -> None:
    assert using("brightrun", ENVIRONMENT) == using("brightrun.core.settings", ENVIRONMENT) != []


def test_only_the_client_of_claude_knows_anthropic() -> None:
    known = [one for one in modules() if imports_any(one, ("anthropic",), for_types=True)]
    assert known
    assert [one.where for one in known if not one.within("brightrun.claude")] == []


def test_anthropic_is_imported_by_the_functions_that_need_it() -> None:
    """It takes half a second to import, which the other functions' cold starts are spared."""
    at_the_top = [
        one.where
        for one in within("brightrun.claude")
        for node in one.tree.body
        if "anthropic" in getattr(node, "module", "") or _imports(node, "anthropic")
    ]
    assert at_the_top == []


def _imports(node: object, name: str) -> bool:
    return any(alias.name == name for alias in getattr(node, "names", ()))


@pytest.mark.parametrize("package", ["functions", "cli"])
def test_the_doors_leave_aws_to_the_packages_behind_them(package: str) -> None:
    # Signing in is a call to Cognito, made by the command itself. The doctor asks AWS with the
    # operator's own credentials: what it looks for may keep the API from answering.
    allowed = {"cli.user_pool", "cli.diagnosis.aws", "cli.diagnosis.deployment"}
    found = [
        (one, imports_any(one, ("boto3", "botocore"), for_types=True))
        for one in within(package)
        if one.name not in allowed
    ]
    assert named(found) == []


def test_the_command_talks_to_the_api_and_not_to_the_code_behind_it() -> None:
    """Only what needs no system is done in the command itself: files, plain estimates, folders of
    domain packs, and what the doctor knows of Claude's models where nobody answers."""
    plain = ("estimates.calibration", "estimates.model", "claude.registry")
    packs = ("scaffolding.check_pack", "scaffolding.domain", "core.languages", "core.errors")
    allowed = (*OFFLINE, *TRAINERS, *(f"brightrun.{name}" for name in (*plain, *packs)))
    hidden = {
        name
        for module in within("cli")
        for name in imports_any(module, ("brightrun",), for_types=True)
        if not name.startswith(allowed)
    }
    assert hidden == set()
    assert importing("cli", ("functions", "local", "infra")) == []


def test_deployed_code_knows_nothing_of_the_local_engine() -> None:
    assert importing("functions", ("local", "infra", "cli")) == []
    assert importing("infra", ("local", "cli", "functions")) == []
