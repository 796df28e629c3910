"""Corrections to ministack, each in a module that names its reason and its conformance test.

They reach into private names, so they hold for exactly one version, checked at every start.
When a conformance test of ``tests/local/conformance`` reports that upstream fixed something,
remove the patch.
"""

from importlib.metadata import version

from local.errors import LocalError

MINISTACK_VERSION = "1.5.33"


class WrongEmulatorVersion(LocalError):
    """Another version of ministack is installed than the one these patches were written for."""


def require_version() -> None:
    """Raise WrongEmulatorVersion unless exactly the expected version is installed."""
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise WrongEmulatorVersion(
            f"ministack {installed} is installed, the local engine needs {MINISTACK_VERSION}:"
            " run `make setup` to install what requirements/dev.lock names."
        )
