"""Gradient cosine similarity: an auxiliary counts where its gradient does not oppose the main task's."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from auxilearn import EpochMean, Method, Problem, split_parameters, task_means
from auxilearn.gradients import Randomness, directional_derivative
from auxilearn.precision import without_autocast
from auxilearn.task_gradients import add_gradients


def dot(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Return the inner product of two gradients, each one tensor a parameter."""
    return torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()


def cosine(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Return the cosine of two gradients, 0 where one of them is 0."""
    scale = dot(first, first).sqrt() * dot(second, second).sqrt()
    return torch.where(scale > 0, dot(first, second) / scale, 0)


def gate_weight(similarity: Tensor, *, variant: str) -> Tensor:
    """Return the weight of an auxiliary gradient: max(0, similarity), or unweighted 1[similarity >= 0].

    The similarity is the cosine with the main gradient; unweighted, anything of its sign will do.
    """
    return similarity.clamp(min=0) if variant == "weighted" else (similarity >= 0).to(similarity.dtype)


def gradients(loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return d loss / d parameters and keep the graph; zeros where the loss does not reach."""
    found = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
    return list(found)


def inner_products(
    problem: Problem,
    batch: object,
    direction: Sequence[Tensor],
    parameters: Sequence[nn.Parameter],
    randomness: Randomness,
) -> Tensor:
    """Return the inner product of every task's gradient with `direction`, (T,), by one forward-mode pass.

    Args:
        problem: The model and its losses.
        batch: Where the gradients are taken.
        direction: One tensor a parameter.
        parameters: The parameters that the gradients are taken by.
        randomness: The generators' state before the pass whose dropout masks are to be used.
    """
    along = {id(parameter): tangent for parameter, tangent in zip(parameters, direction, strict=True)}
    params = dict(problem.model.named_parameters())
    tangents = {name: along[id(value)] for name, value in params.items() if id(value) in along}
    with randomness.replayed():
        _, slopes = directional_derivative(
            lambda duals: task_means(problem.losses(batch, params=duals)), params, tangents
        )
    return slopes


class GCS(Method):
    """Gate auxiliaries by gradient cosine similarity (Du et al., arXiv 2018), the unweighted or the weighted version.

    With c_i = cos(g_0, g_i) on all shared parameters, these follow g_0 + sum_i 1[c_i >= 0] g_i (unweighted)
    or g_0 + sum_i max(0, c_i) g_i (weighted). Heads follow their own tasks alone.

    Cost, in units of an equal-weighting step: gating each auxiliary unweighted needs the signs of <g_0, g_i>
    alone, which one forward-mode pass along g_0 gives for all tasks at once, about 2.7 whatever their number.
    Weighted needs every ||g_i||, hence one backward pass a task, about 0.75 T. Gating the sum needs
    two gradients, about 1.7.

    Departures: several auxiliaries, where the paper has one: `gate="each"` tests every one of them against
    the main task and `gate="sum"` tests their sum, as the AuxiLearn paper did on CUB. A similarity with a
    gradient of 0, as in a batch without a main label, counts as 0: unweighted, the gate opens.
    """

    citation = "Du, Czarnecki, Jayakumar, Farajtabar, Pascanu and Lakshminarayanan, 2018, arXiv:1812.02224"
    needs = ("gradient products",)

    def __init__(
        self,
        problem: Problem,
        *,
        variant: Literal["unweighted", "weighted"] = "unweighted",
        gate: Literal["each", "sum"] = "each",
    ) -> None:
        super().__init__(problem)
        if variant not in ("unweighted", "weighted"):
            raise ValueError(f"unknown variant {variant!r}; choose one of: unweighted, weighted")
        if gate not in ("each", "sum"):
            raise ValueError(f"unknown gate {gate!r}; choose one of: each, sum")
        self.variant, self.gate = variant, gate
        self.noted = EpochMean(torch.ones(problem.n_tasks))

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline models that share no trained parameter, whose gradients have no angle."""
        shared = any(parameter.requires_grad for parameter in problem.shared_parameters())
        return super().declines(problem) or (None if shared else "the tasks share no trained parameter")

    def backward(self, batch: object) -> Tensor:
        """Give each head its own task's gradient and the shared parameters the gated sum."""
        randomness = Randomness()
        losses = self.problem.losses(batch)
        means = task_means(losses)
        shared, heads = split_parameters(self.problem)
        with without_autocast(losses.device):
            if heads:
                # A head is reached by its own task alone, so the sum's gradient is its own. Stops at the heads.
                means.sum().backward(inputs=heads, retain_graph=True)
            main = gradients(means[0], shared)
        slopes = None
        if self.gate == "each" and self.variant == "unweighted":
            slopes = inner_products(self.problem, batch, main, shared, randomness)
        with without_autocast(losses.device):
            self.noted.note(self._gate(means, main, shared, slopes))
        return losses.detach()

    def _gate(self, means: Tensor, main: list[Tensor], shared: list[nn.Parameter], slopes: Tensor | None) -> Tensor:
        """Give the shared parameters the gated sum and return the gates, (T,), from <g_0, g_i> where they are known."""
        if slopes is not None:
            gates = gate_weight(slopes, variant=self.variant)
            gates[0] = 1  # <g_0, g_0> of a tiny gradient may round below 0
            (gates * means).sum().backward(inputs=shared)
            return gates
        return (self._gate_sum if self.gate == "sum" else self._gate_each_weighted)(means, main, shared)

    def _gate_each_weighted(self, means: Tensor, main: list[Tensor], shared: list[nn.Parameter]) -> Tensor:
        """Gate by cosines, from the gradients of one task after another: memory for three, not for T."""
        gates, total = torch.ones_like(means), main
        for task in range(1, len(means)):
            auxiliary = gradients(means[task], shared)
            gates[task] = gate_weight(cosine(main, auxiliary), variant=self.variant)
            total = [a + gates[task] * b for a, b in zip(total, auxiliary, strict=True)]
        add_gradients(shared, total)
        return gates

    def _gate_sum(self, means: Tensor, main: list[Tensor], shared: list[nn.Parameter]) -> Tensor:
        """Gate all auxiliaries alike, by the cosine of the gradient of their sum."""
        auxiliary = gradients(means[1:].sum(), shared)
        weight = gate_weight(cosine(main, auxiliary), variant=self.variant)
        add_gradients(shared, [a + weight * b for a, b in zip(main, auxiliary, strict=True)])
        return torch.cat([weight.new_ones(1), weight.expand(len(means) - 1)])

    def end_epoch(self, task_losses: Tensor) -> None:
        """Note the epoch's mean gates and start a new mean."""
        self.noted.end_epoch()

    def weights(self, losses: Tensor) -> Tensor:
        """Return each task's mean gate over the epoch so far; before its first step, the last epoch's."""
        return self.noted.value()
