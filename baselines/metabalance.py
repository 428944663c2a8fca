"""MetaBalance: auxiliary gradients pulled towards the main gradient's norm, tensor by tensor."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from auxilearn import EpochMean, Method, Problem, split_parameters, task_means
from auxilearn.precision import without_autocast
from auxilearn.task_gradients import Partition, add_gradients, jacobian, memberships

Strategy = Literal["both", "decrease", "increase"]

_CHUNK_BYTES = 2**28
"""Bytes of per-task gradients held at once."""


def relaxed_factors(norms: Tensor, main: Tensor, *, relax: float, strategy: Strategy) -> Tensor:
    """Return by what gradients are multiplied, (K, P): relax main / norms + 1 - relax, 1 for the main task's own.

    A norm of 0, of a task that has not reached the tensor yet or of a main task that has not, leaves 1.

    Args:
        norms: Mean norms of the tasks' gradients on each of P tensors, (K, P).
        main: The main task's, (P,).
        relax: 0 leaves the gradients as they are, 1 gives them the main task's norm.
        strategy: `decrease` and `increase` act only on gradients that are longer or shorter than the main task's.
    """
    acts = (norms > 0) & (main > 0)
    if strategy != "both":
        acts &= norms > main if strategy == "decrease" else norms < main
    return torch.where(acts, relax * main / torch.where(acts, norms, 1) + 1 - relax, 1)


def gradients_in_chunks(values: Tensor, parameters: Sequence[Tensor]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Yield numbers of some values, (k,), and their gradients, one tensor (k, ...) a parameter, until none is left."""
    size = sum(parameter.numel() for parameter in parameters)
    rows = max(1, _CHUNK_BYTES // (size * values.element_size()))
    for chosen in torch.arange(len(values), device=values.device).split(rows):
        yield chosen, jacobian(values[chosen], parameters, size=size)


class MetaBalance(Method):
    """Bring auxiliary gradients to the main gradient's length (He et al., WWW 2022, algorithm 1).

    For each shared tensor, m_i <- beta m_i + (1 - beta) ||g_i|| is a moving average of each task's gradient norm,
    and the tensor follows g_0 + sum_i (r m_0 / m_i + 1 - r) g_i. The paper's three strategies: `decrease` acts only
    where m_i > m_0, `increase` only where m_i < m_0, `both` on all. Heads follow their own tasks alone.

    Cost, in units of an equal-weighting step: about 0.7 a part. Memory does not grow with their number, as
    gradients are taken and added in chunks.

    Departures: a part without a label in the batch keeps its averages, which are corrected for their start from
    0 by its own number of steps; where all parts have labels in all batches, the correction cancels in m_0 / m_i.
    Before the first main label auxiliaries count as they are. The tasks of a part are balanced as one.

    Args:
        problem: The model and its losses.
        relax: r, from 0 to 1.
        beta: Memory of the moving averages.
        strategy: `decrease`, `increase` or `both`.
        partition: What counts as one task, see `auxilearn.task_gradients.memberships`.
    """

    citation = "He, Feng, Cheng, Ji, Guo and Caverlee, WWW 2022, arXiv:2203.06801"
    needs = ("per-task gradients",)
    search_space: ClassVar = {"relax": (0.2, 0.5, 0.8)}
    averages: Tensor
    steps: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        relax: float = 0.7,
        beta: float = 0.9,
        strategy: Strategy = "both",
        partition: Partition = "groups",
    ) -> None:
        super().__init__(problem)
        for name, value, allowed in (("strategy", strategy, Strategy), ("partition", partition, Partition)):
            if value not in get_args(allowed):
                raise ValueError(f"unknown {name} {value!r}; choose one of: {', '.join(get_args(allowed))}")
        if not 0 <= relax <= 1:
            raise ValueError(f"relax must be between 0 and 1; found {relax}")
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1; found {beta}")
        self.relax, self.beta = relax, beta
        self.strategy: Strategy = strategy
        self.register_buffer("members", memberships(problem, partition), persistent=False)
        parts, tensors = len(self.get_buffer("members")), len(split_parameters(problem)[0])
        self.register_buffer("averages", torch.zeros(parts, tensors))
        self.register_buffer("steps", torch.zeros(parts, dtype=torch.long))
        self.noted = EpochMean(torch.ones(problem.n_tasks))

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline models that share no trained parameter, where there is nothing to balance."""
        shared = any(parameter.requires_grad for parameter in problem.shared_parameters())
        return super().declines(problem) or (None if shared else "the tasks share no trained parameter")

    def backward(self, batch: object) -> Tensor:
        """Give each head its own task's gradient and the shared parameters the balanced sum."""
        losses = self.problem.losses(batch)
        with without_autocast(losses.device):
            self._balance(task_means(losses))
        return losses.detach()

    def _balance(self, means: Tensor) -> None:
        """Fill the gradients from the mean losses (T,)."""
        shared, heads = split_parameters(self.problem)
        if heads:
            # a head is reached by its own task alone, so the sum's gradient is its own; stops at the heads
            means.sum().backward(inputs=heads, retain_graph=True)
        members = self.get_buffer("members").to(means.dtype)
        scales = []
        for chosen, gradients in gradients_in_chunks(members @ means, shared):
            norms = torch.stack([gradient.reshape(len(chosen), -1).norm(dim=1) for gradient in gradients], dim=1)
            factors = self._factors(chosen, norms)
            pairs = zip(factors.unbind(1), gradients, strict=True)
            add_gradients(shared, [torch.tensordot(factor.to(part), part, dims=1) for factor, part in pairs])
            scales.append((factors * norms).norm(dim=1) / norms.norm(dim=1).clamp(min=torch.finfo(norms.dtype).tiny))
        self.noted.note(torch.cat(scales).to(members.dtype) @ members)

    def end_epoch(self, task_losses: Tensor) -> None:
        """Start a new mean of the factors."""
        self.noted.end_epoch()

    def weights(self, losses: Tensor) -> Tensor:
        """Return each task's mean factor over the epoch so far; before its first step, the last epoch's.

        A step's factor is the norm of the balanced gradient, on all shared tensors, over that of the gradient; 0
        without a label in the batch.
        """
        return self.noted.value()

    def _factors(self, chosen: Tensor, norms: Tensor) -> Tensor:
        """Return the factors of the chosen parts, (k, P), after noting their gradients' norms, (k, P).

        The main task is the first part and among the first that are chosen.
        """
        present = norms.any(dim=1)
        moved = torch.lerp(norms.to(self.averages.dtype), self.averages[chosen], self.beta)
        self.averages[chosen] = torch.where(present[:, None], moved, self.averages[chosen])
        self.steps[chosen] += present
        corrected = self.averages / (1 - self.beta ** self.steps.clamp(min=1))[:, None]
        return relaxed_factors(corrected[chosen], corrected[0], relax=self.relax, strategy=self.strategy)
