"""This trainer against TRL on the CPU, with a tiny model; about 2 minutes.

    python -m benchmarks.train_cpu --out figures.json

Needs requirements/benchmark_training.in. Times are CPU seconds of one thread. It shows what
merging and packing save, and that the same pairs teach the same; it says nothing about a GPU,
where kernels and memory decide.
"""

from __future__ import annotations

import sys

from benchmarks.training_modes import compare, parser


def main() -> int:
    """Run the comparison on the CPU."""
    import torch

    torch.set_num_threads(1)
    options = parser(
        "Compare this trainer with TRL on the CPU.",
        size="tiny", modes="ours,ours_unmerged,trl_default,trl_packed", steps=4, pairs=140,
        batch=16, scale=0.25,
    ).parse_args()  # fmt: skip
    return compare("benchmarks.train_cpu", options)


if __name__ == "__main__":
    sys.exit(main())
