"""GradNorm: weights that balance the tasks' gradient norms and training rates."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from auxilearn import Method, Problem, task_means
from auxilearn.precision import without_autocast
from auxilearn.task_gradients import ACCELERATOR_CHUNK_BYTES

_CHUNK_BYTES = 2**22
"""Per-task gradients at the layer's output held at once on the CPU, to stay in its cache."""

_SMALLEST_WEIGHT = 1e-3
"""Lower bound: a weight below 0 would maximise its loss."""


class Call(NamedTuple):
    """What one call of a layer received, and the place in the graph where its output's gradient arrives."""

    received: Tensor
    returned: GradientEdge
    size: int


def weight_gradient(weights: Tensor, norms: Tensor, losses: Tensor, initial_losses: Tensor, *, alpha: float) -> Tensor:
    """Return the gradient of sum_i |w_i n_i - target_i| by w, the targets held constant, (T,).

    target_i = mean_j(w_j n_j) r_i^alpha, with r_i = (L_i / L_i(0)) / mean_j(L_j / L_j(0)) the relative
    inverse training rate. A task whose loss is exactly 0 has no label in the batch: it enters no mean and
    gets 0.

    Args:
        weights: w, (T,).
        norms: n_i, norms of the gradients of the unweighted losses on the chosen layer, (T,).
        losses: L_i, (T,).
        initial_losses: L_i(0), (T,).
        alpha: Strength of the pull towards equal rates.
    """
    present = (losses != 0) & (initial_losses != 0)
    count = present.sum().clamp(min=1)
    progress = torch.where(present, losses / initial_losses, 0).clamp(min=0)
    rates = progress * count / progress.sum().clamp(min=torch.finfo(losses.dtype).tiny)
    weighted = weights * norms
    target = torch.where(present, weighted, 0).sum() / count * rates**alpha
    return torch.where(present, torch.sign(weighted - target) * norms, 0)


def renormalised(weights: Tensor) -> Tensor:
    """Return the weights, made positive and scaled to sum to their number, (T,)."""
    positive = weights.clamp(min=_SMALLEST_WEIGHT)
    return positive * (len(weights) / positive.sum())


def input_gram(rows: Tensor, *, bias: bool) -> Tensor:
    """Return X X^T + 1 of the inputs of a linear map, (N, N), without the 1 where it has no bias.

    Args:
        rows: Inputs X of the map, (N, inputs).
        bias: Whether the map has a bias.
    """
    return rows @ rows.T + float(bias)


def squared_norms(gram: Tensor, output_gradients: Tensor) -> Tensor:
    """Return the squared norm of each task's gradient on a linear map's weight and bias, (K,).

    The gradient is D^T X on the weight and D^T 1 on the bias, whose squared norm is <D D^T, X X^T + 1>: two
    N x N Gram matrices, so that no task's gradient of the weight's size is formed.

    Args:
        gram: `input_gram` of the map's inputs, (N, N).
        output_gradients: Gradients D by its outputs, (K, N, outputs).
    """
    return ((output_gradients @ output_gradients.mT) * gram).sum((1, 2)).clamp(min=0)


@contextmanager
def recorded_calls(layer: nn.Module) -> Iterator[dict[nn.Module, list[Call]]]:
    """Record, within the block, the calls of every part of `layer` that holds parameters itself."""
    calls: dict[nn.Module, list[Call]] = {
        part: [] for part in layer.modules() if any(True for _ in part.parameters(recurse=False))
    }

    def note(part: nn.Module, received: tuple[Tensor, ...], returned: Tensor) -> None:
        # The edge, not the tensor: an activation in place would rewrite the tensor's own history; and that of what
        # the tensor is a view of, for gradients would pass the view by
        if isinstance(returned, Tensor) and returned.requires_grad and len(received) == 1:
            base = returned._base
            whole = returned if base is None or base.numel() != returned.numel() else base
            calls[part].append(Call(received[0].detach(), get_gradient_edge(whole), returned.numel()))

    handles = [part.register_forward_hook(note) for part in calls]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def mapped_rows(part: nn.Module, calls: Sequence[Call], *, n_tasks: int) -> Tensor | None:
    """Return the rows X that `part` multiplies by its weight, (N, inputs), or None for the plain way.

    Gram matrices serve plain Linear and Conv2d (not their subclasses, which may compute anything), called
    once, trained whole, with so few rows that N x N matrices are cheaper than every task's gradient on the
    weight.
    """
    if len(calls) != 1 or not all(parameter.requires_grad for parameter in part.parameters()):
        return None
    received = calls[0].received
    if type(part) is nn.Linear:
        rows = received.flatten(0, -2)
    elif type(part) is nn.Conv2d and part.groups == 1 and part.padding_mode == "zeros":
        if isinstance(part.padding, str):
            return None
        if calls[0].size // part.out_channels > part.weight.numel():
            return None  # before unfolding, which multiplies the memory
        columns = nn.functional.unfold(received, part.kernel_size, part.dilation, part.padding, part.stride)
        rows = columns.transpose(1, 2).flatten(0, 1)
    else:
        return None
    outputs, inputs = len(part.weight), rows.shape[1]
    cheaper = len(rows) * (inputs + n_tasks * outputs) < n_tasks * inputs * outputs
    return rows if cheaper else None


def layer_gradient_norms(means: Tensor, calls: dict[nn.Module, list[Call]]) -> Tensor:
    """Return the norm of each task's gradient on all parameters of the recorded layer, (T,).

    One batched backward pass that stops at the layer, in chunks of tasks; the graph is kept.
    """
    mapped: list[tuple[nn.Module, Tensor]] = []
    plain: list[nn.Parameter] = []
    for part, found in calls.items():
        if (rows := mapped_rows(part, found, n_tasks=len(means))) is not None:
            gram = input_gram(rows.to(means.dtype), bias=part.bias is not None)  # reduced under autocast
            mapped.append((part, gram))
        else:
            plain += [value for value in part.parameters(recurse=False) if value.requires_grad]
    wanted = [
        *(calls[part][0].returned for part, _ in mapped),
        *(get_gradient_edge(value) for value in plain),
    ]
    largest = max((call.size for found in calls.values() for call in found), default=1) * means.element_size()
    at_once = _CHUNK_BYTES if means.device.type == "cpu" else ACCELERATOR_CHUNK_BYTES
    squares = []
    for chosen in torch.eye(len(means), dtype=means.dtype, device=means.device).split(max(1, at_once // largest)):
        found = torch.autograd.grad(means, wanted, chosen, retain_graph=True, allow_unused=True, is_grads_batched=True)
        total = means.new_zeros(len(chosen))
        for gradient in found[len(mapped) :]:
            if gradient is not None:
                total += gradient.flatten(1).square().sum(1)
        for (part, gram), gradient in zip(mapped, found[: len(mapped)], strict=True):
            if gradient is None:
                continue
            by_output = gradient.movedim(2, -1) if isinstance(part, nn.Conv2d) else gradient
            output_gradients = by_output.reshape(len(chosen), len(gram), -1)
            total += squared_norms(gram, output_gradients.to(means.dtype))
        squares.append(total)
    return torch.cat(squares).sqrt()


class GradNorm(Method):
    """Balance gradient norms (Chen, Badrinarayanan, Lee and Rabinovich, ICML 2018, algorithm 1).

    G_i = ||d(w_i L_i) / dW|| on all parameters of the last shared layer, taken together; its target
    mean_j(G_j) r_i^alpha is held constant; sum_i |G_i - target_i| is minimised by w alone, after which w is
    renormalised to sum to T. L_i(0) is the loss of the first batch that holds a label of the task.

    Departures: weights are raised to 0.001 before they are scaled to their sum; a task without a label in the batch
    does not count, and its weight moves in that step by what Adam remembers of others, and by the scaling; Adam for w
    at a learning rate of its own.
    """

    citation = "Chen, Badrinarayanan, Lee and Rabinovich, ICML 2018, arXiv:1711.02257"
    needs = ("per-task gradients", "loss history")
    search_space: ClassVar = {"alpha": (0.3, 0.8, 1.5)}
    initial_losses: Tensor

    def __init__(self, problem: Problem, *, alpha: float = 1.5, learning_rate: float = 0.025) -> None:
        super().__init__(problem)
        if alpha < 0:
            raise ValueError(f"alpha must not be negative; found {alpha}")
        self.alpha = alpha
        self.task_weights = nn.Parameter(torch.ones(problem.n_tasks))
        self.register_buffer("initial_losses", torch.zeros(problem.n_tasks))
        self.optimizer = torch.optim.Adam([self.task_weights], lr=learning_rate)

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Decline models whose last shared layer has nothing to train, where every gradient norm is 0."""
        trained = any(parameter.requires_grad for parameter in problem.last_shared_layer.parameters())
        return super().declines(problem) or (None if trained else "the last shared layer has no trained parameter")

    def combine(self, losses: Tensor) -> Tensor:
        """Return the weighted sum of the task means, constant in the weights."""
        return (self.task_weights.detach() * task_means(losses)).sum()

    def backward(self, batch: object) -> Tensor:
        """Add the gradient of the weighted sum to the model's and leave the weights their own gradient."""
        with recorded_calls(self.problem.last_shared_layer) as calls:
            losses = self.problem.losses(batch)
        with without_autocast(losses.device):
            norms = layer_gradient_norms(task_means(losses), calls)
            means, weights = task_means(losses.detach()), self.task_weights.detach()
            self.initial_losses.copy_(torch.where(self.initial_losses == 0, means, self.initial_losses))
            gradient = weight_gradient(weights, norms, means, self.initial_losses, alpha=self.alpha)
            self.task_weights.grad = gradient.to(weights.dtype)
            self.combined(losses).backward()
        return losses.detach()

    def step(self, batch: object) -> None:
        """Step the weights, then renormalise them to sum to T."""
        assert self.optimizer is not None
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.task_weights.copy_(renormalised(self.task_weights))
