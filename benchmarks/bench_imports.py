"""What a cold start of each function imports, beside `import boto3` (`make bench-imports`).

Each measurement is the processor time, user and system, of a fresh interpreter that imports one
handler. A shared machine moves it by half within a minute, so what a test holds is the number of
calls that Python makes meanwhile: the same on every run, and in proportion to the time.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"
LAYER = ROOT / "layers" / "common" / "python"
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))

BOTO3 = "boto3"
BOTO3_EVERY = 3
ROUNDS = 5

COUNT_CALLS = """
import sys
from itertools import count
events = count()
sys.setprofile(lambda *event: next(events))
{statement}
sys.setprofile(None)
print(next(events))
"""


def function_names() -> list[str]:
    """The functions that are deployed."""
    return sorted(handler.parent.name for handler in FUNCTIONS.glob("*/handler.py"))


@contextmanager
def warm_bytecode(names: list[str]) -> Iterator[Path]:
    """Give a folder with the bytecode of boto3 and of everything that these functions import."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (BOTO3, *names):
            import_seconds(name, Path(folder), write=True, opened=True)
        yield Path(folder)


@contextmanager
def bytecode_of_runtime(names: list[str], warm: Path) -> Iterator[Path]:
    """Give a copy of a warm folder with what Lambda's runtime brings: its library and boto3."""
    with tempfile.TemporaryDirectory() as folder, warm_bytecode([]) as runtime:
        copy = Path(folder) / "bytecode"
        shutil.copytree(warm, copy)
        brought = {path.name for path in _inside(runtime, SITE_PACKAGES).iterdir()}
        for package in _inside(copy, SITE_PACKAGES).iterdir():
            if package.name not in brought:
                shutil.rmtree(package) if package.is_dir() else package.unlink()
        for ours in (LAYER, *(FUNCTIONS / name for name in names)):
            shutil.rmtree(_inside(copy, ours), ignore_errors=True)
        yield copy


@dataclass(slots=True)
class ImportCost:
    """What importing one handler cost in each round: seconds, and as a multiple of boto3's."""

    seconds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        """The median."""
        return median(self.seconds) * 1000

    @property
    def ratio(self) -> float:
        """The median, which other work on the machine moves by a few hundredths."""
        return median(self.ratios)


def measured_rounds(
    names: list[str], bytecode: Path, *, opened: bool = False
) -> Iterator[dict[str, ImportCost]]:
    """Measure the functions in turn without end; after each round give all that was measured.

    Ratios are to `import boto3` alone, even if a client is opened. A machine's speed changes
    within seconds, so boto3 is measured again and again in between.
    """
    costs = {name: ImportCost() for name in (BOTO3, *names)}
    while True:
        for position, name in enumerate(names):
            if position % BOTO3_EVERY == 0:
                boto3_seconds = import_seconds(BOTO3, bytecode)
                costs[BOTO3].seconds.append(boto3_seconds)
                costs[BOTO3].ratios.append(1.0)
            seconds = import_seconds(name, bytecode, opened=opened)
            costs[name].seconds.append(seconds)
            costs[name].ratios.append(seconds / boto3_seconds)
        yield costs


def import_seconds(
    name: str, bytecode: Path, *, write: bool = False, opened: bool = False
) -> float:
    """Import boto3 or a function's handler in a fresh interpreter; return its processor seconds.

    With `opened`, the interpreter also makes the client that a first request needs. Bytecode is
    read from a folder, and written there only if asked. Raises RuntimeError with the traceback
    when the import fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _interpret(name, _statement(name, opened=opened), bytecode, write=write)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def import_calls(name: str, bytecode: Path, *, opened: bool = False) -> int:
    """Import as `import_seconds` does; return how many calls and returns Python counted."""
    counted = COUNT_CALLS.format(statement=_statement(name, opened=opened))
    return int(_interpret(name, counted, bytecode))


def _statement(name: str, *, opened: bool) -> str:
    imported = f"import {BOTO3 if name == BOTO3 else 'handler'}"
    client = "import boto3; boto3.client('dynamodb', region_name='us-east-1')"
    return f"{imported}; {client}" if opened else imported


def _interpret(name: str, statement: str, bytecode: Path, *, write: bool = False) -> str:
    """Run a statement where a function's handler can be imported; return what it printed."""
    # Without `site`: what an environment adds at the start (editable installs) is not on Lambda.
    done = subprocess.run(
        [sys.executable, "-S", "-c", statement],
        check=False,
        capture_output=True,
        text=True,
        env=_environment(FUNCTIONS / name, bytecode, write=write),
    )
    if done.returncode:
        raise RuntimeError(f"importing {name} failed:\n{done.stderr}")
    return done.stdout


def _environment(function: Path, bytecode: Path, *, write: bool) -> Mapping[str, str]:
    path = ":".join(str(folder) for folder in (LAYER, function, SITE_PACKAGES))
    environment = {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(bytecode)}
    return environment if write else {**environment, "PYTHONDONTWRITEBYTECODE": "1"}


def _inside(bytecode: Path, folder: Path) -> Path:
    """Where PYTHONPYCACHEPREFIX keeps the bytecode of a folder's modules."""
    return bytecode / folder.relative_to("/")


def main() -> None:
    """Print each function's time by four ways to start, and its calls, as multiples of boto3's."""
    names = function_names()
    with warm_bytecode(names) as warm, bytecode_of_runtime(names, warm) as runtime:
        ways = [
            next(islice(measured_rounds(names, bytecode, opened=opened), ROUNDS - 1, None))
            for bytecode in (warm, runtime)
            for opened in (False, True)
        ]
        calls = [
            {name: import_calls(name, warm, opened=opened) for name in (BOTO3, *names)}
            for opened in (False, True)
        ]
    print(
        "| function | with bytecode: import | and a client | without: import | and a client "
        "| calls: import | and a client |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in (BOTO3, *names):
        times = [f"{costs[name].milliseconds:.0f} ms, {costs[name].ratio:.2f}" for costs in ways]
        counted = [f"{of[name] / calls[0][BOTO3]:.2f}" for of in calls]
        print(f"| {name} | {' | '.join(times + counted)} |")


if __name__ == "__main__":
    main()
