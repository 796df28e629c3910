"""Command line of the Claude simulator: `python -m local.claude_simulator --port N`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from local.claude_simulator.faults import Fault, FaultScriptError, parse_faults
from local.claude_simulator.simulator import serve_until_stopped
from local.claude_simulator.state import Settings

_BAD_USAGE = 2


def main() -> int:
    """Serve until stopped; exit code 2 for a bad faults file, 1 for a port that is taken."""
    options = _parser().parse_args()
    try:
        faults = _read_faults(options.faults) if options.faults else []
    except FaultScriptError as error:
        print(f"{options.faults}: {error}", file=sys.stderr)
        return _BAD_USAGE
    settings = Settings(options.seed, options.latency_seconds, options.batch_polls)
    try:
        asyncio.run(serve_until_stopped(settings, options.port, faults))
    except OSError as error:
        print(f"Cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.claude_simulator",
        description="Serve a simulated Claude API on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--latency-seconds", type=float, default=0.0, help="time per message")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same texts")
    parser.add_argument("--faults", type=Path, help="JSON list of scripted faults")
    parser.add_argument(
        "--batch-polls", type=int, default=1, help="retrievals until a batch has ended"
    )
    return parser


def _read_faults(path: Path) -> list[Fault]:
    try:
        return parse_faults(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        if isinstance(error, FaultScriptError):
            raise
        raise FaultScriptError(f"cannot be read as JSON: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
