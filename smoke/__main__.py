"""Runs the smoke test.

    python -m smoke --local                                    # this machine, for nothing
    python -m smoke --stage smoke --region us-east-1 [--yes]   # deploys to AWS and destroys again

Exit code 0 when every step led to what it should; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cli.client import ApiClient
from cli.errors import CliError
from cli.render import make_console
from infra.settings import DEFAULT_STAGE, SettingsError, StageSettings
from local.errors import LocalError
from smoke.price import price_lines
from smoke.steps import Report, SmokeFailed, Training, walk
from smoke.systems import AWS_TRAINING, local_system, stage_on_aws


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns 1 with the reason when a step fails, or when the answer is no."""
    options = _parser().parse_args(arguments)
    report = Report(make_console())
    try:
        system = _system(options, report)
        if system is None:
            return 1
        with system as (client, training), tempfile.TemporaryDirectory() as folder:
            walk(client, training, Path(folder), report)
    except (SmokeFailed, SettingsError, CliError, LocalError) as error:
        sys.stderr.write(f"The smoke test failed: {error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"The smoke test failed: {error.cmd[0]} ended with {error.returncode}\n")
        return 1
    sys.stdout.write(json.dumps({**report.made, "seconds": report.seconds}) + "\n")
    return 0


def _system(
    options: argparse.Namespace, report: Report
) -> AbstractContextManager[tuple[ApiClient, Training]] | None:
    """The system to test; None when its price was declined."""
    if options.local:
        return local_system(report.console)
    if options.stage == DEFAULT_STAGE:
        raise SmokeFailed(
            f"The stage {DEFAULT_STAGE} may be somebody's: the test destroys its stage at the end."
        )
    settings = StageSettings(stage=options.stage, region=options.region)
    report.console.print(f"Deploys stage {settings.stage} in {settings.region} and destroys it:")
    for line in price_lines(AWS_TRAINING):
        report.console.print(f"  {line}")
    if not options.yes and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        sys.stdout.write("Nothing was changed.\n")
        return None
    return stage_on_aws(settings, report.console, keep=options.keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smoke", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--local", action="store_true", help="on the local engine")
    where.add_argument("--stage", help="on AWS, in a stage that is destroyed at the end")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--yes", action="store_true", help="accept the price without a question")
    parser.add_argument("--keep", action="store_true", help="leave the stage as it is at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
