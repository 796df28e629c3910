"""Command line of the Claude simulator: `python -m local.claude_simulator --port N`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from local.claude_simulator.simulator import serve_until_stopped
from local.claude_simulator.state import Settings
from local.log_format import log_to_stderr


def main() -> int:
    """Serve until stopped; exit code 1 for a port that is taken."""
    options = _parser().parse_args()
    log_to_stderr("local")
    settings = Settings(options.seed, options.latency_seconds, options.batch_polls)
    try:
        asyncio.run(serve_until_stopped(settings, options.port))
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
    parser.add_argument(
        "--batch-polls", type=int, default=1, help="retrievals until a batch has ended"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
