"""Small problems that the tests share: a trunk, T heads, teacher-made targets."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxilearn import stateless_call
from auxilearn.method import Parameters, TaskKind

Batch = dict[str, Tensor]


class TinyModel(nn.Module):
    """Trunk, a last shared layer and one head a task; of 1x1 convolutions if dense."""

    def __init__(
        self, outputs: Sequence[int], features: int, width: int, batch_norm: bool, dropout: float, dense: bool
    ):
        super().__init__()

        def layer(n_in: int, n_out: int) -> nn.Module:
            return nn.Conv2d(n_in, n_out, 1) if dense else nn.Linear(n_in, n_out)

        norm = (nn.BatchNorm2d if dense else nn.BatchNorm1d)(width) if batch_norm else nn.Identity()
        self.trunk = nn.Sequential(layer(features, width), norm, nn.Tanh(), nn.Dropout(dropout))
        self.last_shared = layer(width, width)
        self.heads = nn.ModuleList(layer(width, n) for n in outputs)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return one output a task, (B, n) or (B, n, H, W)."""
        hidden = torch.tanh(self.last_shared(self.trunk(x)))
        return [head(hidden) for head in self.heads]


class TinyProblem:
    """A few samples, T related tasks.

    Args:
        task_kinds: Kind of each task; the first is the main task.
        n_classes: Classes of every classification task.
        batch_norm: Put a BatchNorm into the trunk.
        dropout: Rate of the trunk's dropout.
        masked: Give every batch a `mask` (B, T[, H, W]) of valid targets; half of the main ones at least.
        size: Height and width: losses are images (B, T, H, W) then.
        noise: Standard deviation of the noise on each task's targets; None is 0.1 for all.
        subclasses: Sub-classes psi of each main class. With them task 1 of two is a generated auxiliary:
            its targets are soft labels (B, sum(subclasses)[, H, W]), its loss is 0 where none are given.
    """

    def __init__(
        self,
        task_kinds: Sequence[TaskKind] = ("classification", "regression", "classification"),
        *,
        features: int = 5,
        width: int = 8,
        n_classes: int = 3,
        batch_norm: bool = False,
        dropout: float = 0.0,
        masked: bool = False,
        size: tuple[int, int] | None = None,
        noise: Sequence[float] | None = None,
        subclasses: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
        seed: int = 0,
    ) -> None:
        self.subclasses = tuple(subclasses) if subclasses else ()
        self.n_classes = len(self.subclasses) or n_classes
        self.task_kinds = ("classification", "classification") if subclasses else tuple(task_kinds)
        self.n_tasks = len(self.task_kinds)
        self.task_groups = tuple(range(self.n_tasks))
        self.features, self.size, self.masked, self.dtype = features, size, masked, dtype
        self.noise = tuple(noise) if noise is not None else (0.1,) * self.n_tasks
        outputs = [self.n_classes if kind == "classification" else 1 for kind in self.task_kinds]
        if self.subclasses:
            outputs[1] = sum(self.subclasses)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model: nn.Module = TinyModel(outputs, features, width, batch_norm, dropout, size is not None).to(dtype)
            shared = torch.randn(features, dtype=dtype)
            self._teachers = [
                torch.tanh(torch.randn(n, features, dtype=dtype) + shared) if kind == "classification" else shared[None]
                for n, kind in zip(outputs, self.task_kinds, strict=True)
            ]

    @property
    def last_shared_layer(self) -> nn.Module:
        return self.model.get_submodule("last_shared")

    @property
    def loss_images(self) -> bool:
        return self.size is not None

    def shared_parameters(self) -> list[nn.Parameter]:
        modules = (self.model.get_submodule("trunk"), self.last_shared_layer)
        return [parameter for module in modules for parameter in module.parameters()]

    def batch(self, n: int = 8, *, seed: int = 0) -> Batch:
        """Return `n` samples drawn with `seed`: x, one target a task (y0, y1, ...) and, if masked, mask."""
        generator = torch.Generator().manual_seed(seed)
        size = self.size or ()
        x = torch.randn(n, self.features, *size, generator=generator, dtype=self.dtype)
        batch = {"x": x}
        for task, (kind, teacher) in enumerate(zip(self.task_kinds, self._teachers, strict=True)):
            clean = torch.einsum("of,bf...->bo...", teacher, x)
            noisy = clean + self.noise[task] * torch.randn(clean.shape, generator=generator, dtype=self.dtype)
            batch[f"y{task}"] = noisy.argmax(1) if kind == "classification" else noisy[:, 0]
        if self.masked:
            mask = torch.rand(n, self.n_tasks, *size, generator=generator) < 0.6
            mask[: (n + 1) // 2, 0] = True
            batch["mask"] = mask
        return batch

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        outputs = stateless_call(self.model, params, batch["x"])
        columns = [
            F.cross_entropy(output, batch[f"y{task}"], reduction="none")
            if kind == "classification"
            else (output[:, 0] - batch[f"y{task}"]).square()
            for task, (kind, output) in enumerate(zip(self.task_kinds, outputs, strict=True))
            if not (self.subclasses and task == 1)
        ]
        if self.subclasses:
            soft = torch.zeros_like(outputs[1]) if targets is None else targets
            columns.insert(1, -(soft * F.log_softmax(outputs[1], 1)).sum(1))
        losses = torch.stack(columns, 1)
        if self.masked:
            valid = batch["mask"].transpose(0, 1).flatten(1).sum(1).clamp(min=1)
            scale = batch["mask"][:, 0].numel() / valid
            losses = losses * batch["mask"] * scale.to(losses.dtype).view(1, -1, *(1,) * (losses.dim() - 2))
        return losses

    def inputs_and_labels(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what a label generator sees: inputs and main labels, (B,) or (B, H, W)."""
        return batch["x"], batch["y0"]

    def make_generator(self) -> nn.Module:
        """Return a backbone that maps inputs to logits (B, sum(subclasses)[, H, W])."""
        outputs = sum(self.subclasses)
        if self.size:
            layers = (nn.Conv2d(self.features, 8, 1), nn.BatchNorm2d(8), nn.Tanh(), nn.Conv2d(8, outputs, 1))
        else:
            layers = (nn.Linear(self.features, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, outputs))
        return nn.Sequential(*layers).to(self.dtype)
