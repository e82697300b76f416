"""Several processes that train one network together (`torchrun`): each has a share of every step's songs.

Gradients are added up, weighted by how many targets each share holds, so that two processes take the step that one
would take with the doubled batch.  Without torchrun there is one process, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True, slots=True)
class Team:
    """rank: this process's number, 0 writes files and reports.  size: how many there are."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()

    def total(self, value: float) -> float:
        """The sum over all processes."""
        if self.size == 1:
            return value
        cell = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.all_reduce(cell)
        return float(cell)

    def add_gradients(self, model: nn.Module) -> None:
        """Leaves in every process the sum of all processes' gradients."""
        if self.size == 1:
            return
        parameters = [p for p in model.parameters() if p.requires_grad]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])
        distributed.all_reduce(flat)
        for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter).clone()


@contextmanager
def team(device: str) -> Iterator[Team]:
    """The processes that torchrun started, this one alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team()
        return
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        processes = Team(distributed.get_rank(), size, device)
        yield processes
        processes.wait()  # gloo's threads abort a process whose peer leaves first
    finally:
        distributed.destroy_process_group()
