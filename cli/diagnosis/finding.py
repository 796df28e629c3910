"""What one check found."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "warning", "problem", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was checked, how it stands, and what to do about it.

    "problem" means that something will not work, "warning" that it will stop working or goes
    unnoticed, "unknown" that it could not be found out.
    """

    check: str
    state: State
    message: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """The finding as it stands in the JSON report."""
        return asdict(self)


Check = Callable[[], Iterator[Finding]]
