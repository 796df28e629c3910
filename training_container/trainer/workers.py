"""The processes of one run: one per GPU, on one host or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Workers:
    """This process's place among all; with one process every exchange is a no-op."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes what the run leaves behind."""
        return self.rank == 0

    def sum_(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add the tensor up over all processes, in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def largest(self, value: int) -> int:
        """The largest of the processes' values, so that all take the same decision."""
        if self.world == 1:
            return value
        tensor = torch.tensor(value, device=self.device)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return int(tensor.item())

    def from_main_(self, tensor: torch.Tensor) -> None:
        """Overwrite the tensor with the main process's."""
        if self.world > 1:
            dist.broadcast(tensor, src=0)

    def object_from_main(self, value: str) -> str:
        """The main process's string."""
        if self.world == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def leave(self) -> None:
        """Wait for the others, then leave the group; only after a run that went well."""
        if self.world > 1:
            dist.barrier()
            dist.destroy_process_group()


def join_workers(environment: Mapping[str, str]) -> Workers:
    """Join the processes that the launcher started; NCCL between GPUs, gloo between CPUs."""
    rank, world = int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(environment.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Workers(rank, world, device)
