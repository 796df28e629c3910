"""Whether torch can use the GPUs that the driver lists, before anything is read or loaded."""

from __future__ import annotations

from collections.abc import Mapping

from training_container.launch import GpuUnavailableError


def require_gpu(environment: Mapping[str, str]) -> None:
    """Run one kernel on this process's GPU where the launcher has found GPUs.

    torch itself only warns when the driver is too old for its CUDA, and then computes on the CPU.
    Raises GpuUnavailableError with torch's reason.
    """
    if environment.get("TRAINER_DEVICE") != "cuda":
        return
    import torch

    try:
        torch.ones(1, device=f"cuda:{environment.get('LOCAL_RANK', '0')}").add_(1)
    except (RuntimeError, AssertionError) as error:
        raise GpuUnavailableError(
            f"torch {torch.__version__}, built for CUDA {torch.version.cuda}, cannot use the GPU: "
            f"{' '.join(str(error).split())} For a driver older than 580 build the image with "
            "--build-arg CUDA=12."
        ) from error
