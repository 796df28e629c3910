"""This trainer against TRL on one GPU, with a model of 8 billion parameters; about 6 minutes.

    python -m benchmarks.train_gpu --out figures.json

Needs a CUDA GPU with 80 GB or more and requirements/benchmark_training.in. Both sides train the
same conversations with the same batch of pairs and learning rate. `ours_recomputing` spends
memory as TRL's default does; `ours_compiled` is not a setting of the trainer, but shows what
compiling its layers would gain.
"""

from __future__ import annotations

import sys

from benchmarks.training_modes import compare, parser


def main() -> int:
    """Run the comparison on the GPU; 2 without one."""
    import torch

    options = parser(
        "Compare this trainer with TRL on one GPU.",
        size="8b", steps=8, pairs=360, batch=16, scale=1.0,
    ).parse_args()  # fmt: skip
    if not torch.cuda.is_available():
        print("No CUDA GPU here; benchmarks.train_cpu compares on the CPU.", file=sys.stderr)
        return 2
    return compare("benchmarks.train_gpu", options)


if __name__ == "__main__":
    sys.exit(main())
