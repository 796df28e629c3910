"""A training process. Whatever fails, importing included, is in its failure file."""

from __future__ import annotations

import os
import sys
import time
import traceback

from training_container.launch import failure_text, ml_root, write_failure


def main() -> int:
    """Run the job that the environment describes; returns the process's exit code."""
    started = time.monotonic()
    rank = int(os.environ.get("RANK", "0"))
    try:
        # Late: an image that lacks a package must be able to say so.
        from training_container.trainer.contract import JobPaths
        from training_container.trainer.job import run
        from training_container.trainer.stopping import StopSignal

        run(JobPaths.from_environment(os.environ), StopSignal.install(), rank, started)
    except Exception as error:  # noqa: BLE001 - the failure file must name any cause
        # The launcher copies the first process's file to `failure`.
        write_failure(ml_root(os.environ), f"failure.rank{rank}", failure_text(error))
        traceback.print_exc()
        return int(getattr(error, "exit_code", 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
