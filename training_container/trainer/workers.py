"""The processes of one run: one per GPU, on one host or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Workers:
    """This process's rank and the collectives; with one process each of them is a no-op."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, the process that writes every file."""
        return self.rank == 0

    def sum_(self, tensor: torch.Tensor) -> torch.Tensor:
        """Sum the tensor over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def max(self, value: int) -> int:
        """The maximum over all processes, so that all of them take the same decision."""
        if self.world == 1:
            return value
        tensor = torch.tensor(value, device=self.device)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return int(tensor.item())

    def broadcast_(self, tensor: torch.Tensor) -> None:
        """Copy the main process's tensor to all processes, in place."""
        if self.world > 1:
            dist.broadcast(tensor, src=0)

    def broadcast_text(self, value: str) -> str:
        """The main process's value, on every process."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def close(self) -> None:
        """Wait for all processes and destroy the group; only after a successful run."""
        if self.world > 1:
            dist.barrier()
            dist.destroy_process_group()


def init_workers(environment: Mapping[str, str]) -> Workers:
    """Initialize the process group from the launcher's variables: NCCL on GPUs, gloo on CPUs."""
    rank, world = int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(environment.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Workers(rank, world, device)
