"""A network and its task groups as the `Problem` that methods train."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

import baselines
from auxilearn import Method, stateless_call
from auxilearn.method import Parameters, TaskKind
from benchmark.data import Batch
from benchmark.models.multitask import MultiTask
from benchmark.seeds import seed_torch
from benchmark.tasks import TaskGroup


class SupervisedProblem:
    """Tasks with known labels on one network; task 0, the first of the first group, is the main task.

    Args:
        model: Network whose output is one tensor a group.
        groups: Task groups, in the order of the network's outputs.
        task_groups: Number of each task's group for methods that need few tasks; None keeps all apart.
    """

    def __init__(self, model: MultiTask, groups: Sequence[TaskGroup], task_groups: Sequence[int] | None = None) -> None:
        self.model: nn.Module = model
        self._trunk = model.trunk
        self.loss_images = model.loss_images
        self.groups = tuple(groups)
        self.task_names = tuple(name for group in groups for name in group.names)
        self.task_kinds: tuple[TaskKind, ...] = tuple(group.kind for group in groups for _ in group.names)
        self.n_tasks = len(self.task_names)
        self.task_groups = tuple(range(self.n_tasks) if task_groups is None else task_groups)
        self.last_shared_layer: nn.Module = model.last_shared_layer

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the trunk's parameters."""
        return list(self._trunk.parameters())

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        """Return the losses of all tasks, (B, T) or (B, T, H, W); see `auxilearn.Problem.losses`.

        Under autocast the losses are in float32, whatever the network's outputs are in.
        """
        outputs = stateless_call(self.model, params, batch.inputs)
        losses, labelled = [], []
        for group, output, target in zip(self.groups, outputs, batch.targets, strict=True):
            losses.append(group.losses(output.to(torch.promote_types(output.dtype, torch.float32)), target))
            labelled.append(group.labelled(target))
        return scaled(_joined(losses), _joined(labelled))


def scaled(losses: Tensor, labelled: Tensor) -> Tensor:
    """Return losses scaled by all / labelled of each task, so that a plain mean is the mean over what is labelled.

    Args:
        losses: 0 where there is no label; of samples, (B, T), or of pixels, (B, T, H, W).
        labelled: Where there is a label, of the same shape.
    """
    over = (0, *range(2, losses.dim()))
    share = labelled.mean(over, dtype=losses.dtype, keepdim=True)
    return losses / share.clamp(min=losses.shape[1] / losses.numel())


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=1)


def build_method(name: str, problem: SupervisedProblem, hyper: dict[str, Any], seed: int) -> Method:
    """Return the method of that name, its own parameters initialised by `seed`."""
    with torch.random.fork_rng(devices=[]):
        seed_torch(seed)
        return baselines.load(name)(problem, **hyper)
