"""The product's Python files, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "common" / "python"
FOLDERS = ("layers/common/python/brightrun", "functions", "infra", "local", "cli", "smoke")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name as it is imported, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def within(self, package: str) -> bool:
        """Whether the module is the package, or in it."""
        return self.name == package or self.name.startswith(f"{package}.")


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            base = LAYER if path.is_relative_to(LAYER) else ROOT
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found.append(Module(name, path, text, ast.parse(text)))
    return tuple(found)


def within(package: str) -> list[Module]:
    """The modules of a package; there is at least one."""
    found = [module for module in modules() if module.within(package)]
    assert found, f"there is no package {package}"
    return found


def imported(module: Module, *, for_types: bool = False) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it.

    What stands under `if TYPE_CHECKING` is never imported when it runs, so it counts only
    `for_types`. A name imported from a module counts with it: `from a import b` is `a.b`.
    """
    skipped = set() if for_types else set(_type_checking(module.tree))
    for node in ast.walk(module.tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.where} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_any(module: Module, packages: tuple[str, ...], *, for_types: bool = False) -> list[str]:
    """What of these packages a module imports."""
    return [
        name
        for name in imported(module, for_types=for_types)
        if any(name == one or name.startswith(f"{one}.") for one in packages)
    ]


def _type_checking(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for statement in node.body:
                yield from ast.walk(statement)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def names_used(module: Module) -> Iterator[str]:
    """Every dotted name that a module reads or calls, such as `os.environ`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node)
