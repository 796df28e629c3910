"""doctor: whether a system works, and what to do where it does not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from cli.diagnosis.api import check_api
from cli.diagnosis.aws import check_aws
from cli.diagnosis.finding import Finding
from cli.diagnosis.local_system import check_local_system
from cli.errors import ExitCode
from cli.invocation import Invocation, command
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer()

STYLES = {"ok": "green", "warning": "yellow", "problem": "red", "unknown": "cyan"}


@command(app, "doctor")
def doctor(run: Invocation) -> int:
    """Check a system: API, session, clock; locally engine and disk; on AWS what it needs to run.

    Looks and changes nothing. Operators run it with AWS credentials, which show quotas, the key of
    Claude, logs, alarms, buckets and the training image. Exit code 1 if there is a problem.
    """
    findings = list(_findings(run))
    problems = sum(one.state == "problem" for one in findings)
    run.answer(
        {"problems": problems, "findings": [one.document() for one in findings]},
        lambda console: _print(console, findings),
    )
    return int(ExitCode.JOB_NOT_SUCCESSFUL if problems else ExitCode.OK)


def _findings(run: Invocation) -> Iterator[Finding]:
    profile = run.session.profile
    yield from check_api(run.client)
    yield from (check_local_system(profile) if profile.endpoint_url else check_aws(profile))


def _print(console: "Console", findings: list[Finding]) -> None:
    from rich.text import Text

    for one in findings:
        line = Text(f"{one.state:<8}", style=STYLES[one.state])
        line.append(f"{one.check}: ", style="bold").append(plain(one.message), style="default")
        console.print(line, soft_wrap=True)
        if one.remedy:
            console.print(Text(f"{'':8}{plain(one.remedy)}"), soft_wrap=True)
