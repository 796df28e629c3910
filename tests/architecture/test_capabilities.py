"""The layout of `brightrun`: packages by capability, in one order; file names tell the roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.architecture.source import Module, imported, imports_any, names_used, within

ORDER = (
    "core",
    "aws",
    "http",
    "catalog",
    "claude",
    "formats",
    "sft",
    "validation",
    "notifications",
    "scaffolding",
    "conversations",
    "batches",
    "training_files",
    "datasets",
    "estimates",
    "training",
    "wiring",
)
"""Bottom up: a package imports only from itself and from those before it."""

FOUNDATION = ("core", "aws", "http")
"""No capabilities, but what every capability stands on; `aws` and `http` are side by side."""

MOST_CROSSINGS = 240
"""Imports from one capability, or from the wiring, into another, counted once for each pair of
modules. In the layout by layers, which this one replaced, 695 imports crossed a package."""

AWS = ("boto3", "botocore", "mypy_boto3_dynamodb", "mypy_boto3_s3", "mypy_boto3_stepfunctions")
NETWORK = ("socket", "urllib.request", "http.client", "httpx", "httpx2", "requests", "anthropic")
CLOCKS = ("time.time", "time.monotonic", "time.sleep", "datetime.now", "datetime.utcnow")
ENVIRONMENT = ("os.environ", "os.getenv")

OUTER = ("repository", "gateway", "client")
"""The roles of files that talk to what lies outside: AWS and Claude."""

Import = tuple[str, str]


def capability(name: str) -> str:
    return name.split(".")[1]


def imports_of(found: Iterable[Module]) -> set[Import]:
    """Which module imports which: a name imported from a module counts as the module."""
    known = {module.name for module in within("brightrun")}
    return {
        (module.name, name if name in known else name.rpartition(".")[0])
        for module in found
        for name in imported(module, for_types=True)
        if name.startswith("brightrun.")
    }


def upward(imports: Iterable[Import]) -> list[str]:
    """Imports from a package into one that stands above it, or beside it."""
    found = []
    for module, target in imports:
        one, other = capability(module), capability(target)
        beside = {one, other} == {"aws", "http"}
        if one != other and (ORDER.index(other) > ORDER.index(one) or beside):
            found.append(f"{module} -> {target}")
    return sorted(found)


def circles(imports: Iterable[Import]) -> list[str]:
    """Modules that import each other, directly or not; found by taking away what imports none."""
    waiting = {edge for edge in imports if edge[0] != edge[1]}
    while True:
        importing = {module for module, _ in waiting}
        left = {edge for edge in waiting if edge[1] in importing}
        if left == waiting:
            return sorted(importing)
        waiting = left


def crossings(imports: Iterable[Import]) -> list[str]:
    return sorted(
        f"{module} -> {target}"
        for module, target in imports
        if capability(module) != capability(target) and capability(target) not in FOUNDATION
    )


def role(module: Module) -> str:
    """The role that a file's name tells: `claim_repository.py` is a repository."""
    return module.name.rpartition(".")[2].rpartition("_")[2]


def test_every_package_has_its_place_in_the_order() -> None:
    found = {capability(module.name) for module in within("brightrun") if "." in module.name}
    assert found == set(ORDER)


def test_a_package_imports_only_from_packages_below_it() -> None:
    assert upward(imports_of(within("brightrun"))) == []


def test_no_modules_import_each_other() -> None:
    assert circles(imports_of(within("brightrun"))) == []


def test_few_imports_cross_from_one_capability_into_another(
    record_property: Callable[[str, object], None],
) -> None:
    found = crossings(imports_of(within("brightrun")))
    record_property("crossings", len(found))
    print(f"{len(found)} imports cross a capability")  # noqa: T201 - the figure is for people
    assert len(found) <= MOST_CROSSINGS


def test_a_planted_violation_of_the_order_is_found() -> None:
    planted = {("brightrun.formats.convert", "brightrun.datasets.model")}
    assert upward(planted) == ["brightrun.formats.convert -> brightrun.datasets.model"]
    assert upward({("brightrun.aws.objects", "brightrun.http.app")})
    assert crossings(planted) != []


def test_a_planted_circle_is_found() -> None:
    ring = {("brightrun.a.x", "brightrun.a.y"), ("brightrun.a.y", "brightrun.a.z")}
    assert circles(ring) == []
    assert circles({*ring, ("brightrun.a.z", "brightrun.a.x")}) == [
        "brightrun.a.x",
        "brightrun.a.y",
        "brightrun.a.z",
    ]


# --- roles


def of_role(*roles: str) -> list[Module]:
    found = [one for one in within("brightrun") if role(one) in roles]
    assert found
    return found


def named(found: list[tuple[Module, list[str]]]) -> list[str]:
    return [f"{module.where}: {', '.join(names)}" for module, names in found if names]


def test_a_model_knows_neither_aws_nor_the_http_edge() -> None:
    beyond = (*AWS, "anthropic", "aws_lambda_powertools", "brightrun.aws", "brightrun.http")
    assert (
        named([(one, imports_any(one, beyond, for_types=True)) for one in of_role("model")]) == []
    )


def test_a_model_reads_neither_the_clock_nor_the_environment() -> None:
    read = (*CLOCKS, *ENVIRONMENT)
    found = [(one, sorted(set(read) & set(names_used(one)))) for one in of_role("model")]
    assert named(found) == []


def test_only_repositories_gateways_and_clients_talk_to_what_is_outside() -> None:
    inner = [
        one
        for one in within("brightrun")
        if "." in one.name
        and capability(one.name) not in ("aws", "wiring")
        and role(one) not in OUTER
    ]
    assert named([(one, imports_any(one, AWS + NETWORK, for_types=True)) for one in inner]) == []


def test_only_wiring_brings_services_together_with_repositories() -> None:
    inner = [one for one in within("brightrun") if not one.within("brightrun.wiring")]
    made = {
        f"{one.where}: {name}"
        for one in inner
        for name in imported(one)
        if name.rpartition(".")[2].startswith(("Dynamo", "S3", "StepFunctions"))
        and name.startswith("brightrun.")
        and role(one) not in OUTER
    }
    assert made == set()


def test_a_service_never_reads_a_clock_or_the_environment_by_itself() -> None:
    free = [
        one
        for one in within("brightrun")
        if "." in one.name
        and capability(one.name) not in ("aws", "http", "wiring")
        and one.name != "brightrun.core.settings"
        and role(one) not in OUTER
    ]
    read = (*CLOCKS, *ENVIRONMENT)
    found = [(one, sorted(set(read) & set(names_used(one)))) for one in free]
    assert named(found) == []


def test_schemas_and_routes_are_the_only_http_code_of_a_capability() -> None:
    inner = [
        one
        for one in within("brightrun")
        if "." in one.name
        and capability(one.name) not in (*FOUNDATION, "wiring")
        and role(one) not in ("routes", "schemas")
    ]
    beyond = ("brightrun.http", "aws_lambda_powertools")
    assert named([(one, imports_any(one, beyond, for_types=True)) for one in inner]) == []
