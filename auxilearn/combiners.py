"""Networks that combine the losses of all tasks into one: the g(l; phi) of AuxiLearn."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Combiner(nn.Module):
    """Map losses (B, T) or (B, T, H, W), the main task's first, to combined losses, (B,) or (B, H, W).

    The weights start non-negative, and scaled such that the auxiliaries weigh one on average where every loss
    is one: training starts from the equal-weighting sum (exactly so with the linear combiners).

    Args:
        layers: The network, on the last dimension (B, ..., T) -> (B, ..., 1); biases start at zero.
        n_tasks: Number of tasks T, the main one included.
        skip: Add the main loss to the network's output; its weight inside the network then starts at zero.
        monotone: Let `project` clip the weights, so that no loss is ever weighted negatively.
        weight_norm: Learn the weights of a unit as their norm times their direction.
    """

    def __init__(self, layers: nn.Sequential, n_tasks: int, *, skip: bool, monotone: bool, weight_norm: bool) -> None:
        super().__init__()
        self.layers, self.n_tasks, self.skip, self.monotone = layers, n_tasks, skip, monotone
        self._weighted = [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]
        self._initialise()
        for layer in self._weighted if weight_norm else ():
            parametrize.register_parametrization(layer, "weight", _WeightNorm())

    def forward(self, losses: Tensor) -> Tensor:
        """Return the combined losses, unreduced."""
        combined = self.network(losses)
        return losses[:, 0] + combined if self.skip else combined

    def network(self, losses: Tensor) -> Tensor:
        """Return the network's output without the skip."""
        return self.layers(losses.movedim(1, -1)).squeeze(-1)

    @torch.no_grad()
    def project(self) -> None:
        """Clip negative weights to zero, biases excepted, if the combiner is monotone (Sec. 3.2)."""
        for layer in self._weighted if self.monotone else ():
            named = dict(layer.named_parameters())
            for parameter in named.values():
                if parameter.dim() > 1:
                    parameter.clamp_(min=0)
            if parametrize.is_parametrized(layer):
                _revive(named["parametrizations.weight.original0"], named["parametrizations.weight.original1"])

    def _initialise(self) -> None:
        for index, layer in enumerate(self._weighted):
            weight = layer.weight.detach()
            weight.uniform_(0, 2).div_(weight[0].numel())
            if index == 0 and self.skip:
                weight[:, 0] = 0
            if layer.bias is not None:
                layer.bias.detach().zero_()
        self._calibrate()

    def _calibrate(self) -> None:
        """Scale the last layer: the auxiliaries' weights sum to their number where every loss is one."""
        nominal = self._nominal().requires_grad_()
        (weights,) = torch.autograd.grad(self.network(nominal).mean(), nominal)
        counted = self.n_tasks - 1 if self.skip else self.n_tasks
        self._weighted[-1].weight.detach().mul_(counted / weights.sum())

    def _nominal(self) -> Tensor:
        return torch.ones(1, self.n_tasks)


class LinearCombiner(Combiner):
    """Learn one weight a task: sum_j phi_j l_j, all weights one at the start."""

    def __init__(self, n_tasks: int, *, skip: bool = True, monotone: bool = True, weight_norm: bool = False) -> None:
        layers = nn.Sequential(nn.Linear(n_tasks, 1, bias=False))
        super().__init__(layers, n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)

    def _initialise(self) -> None:
        _start_equal(self._weighted[0].weight.detach(), skip=self.skip)


class DeepLinearCombiner(Combiner):
    """Learn one weight a task as a product of linear layers, all weights one at the start.

    Args:
        depth: Number of hidden layers.
        width: Units of each.
    """

    def __init__(
        self,
        n_tasks: int,
        *,
        depth: int = 2,
        width: int = 10,
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
    ) -> None:
        _check_size(depth, width)
        sizes = [n_tasks] + [width] * depth + [1]
        layers = [nn.Linear(*size, bias=False) for size in pairwise(sizes)]
        super().__init__(nn.Sequential(*layers), n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)

    def _initialise(self) -> None:
        super()._initialise()
        first = self._weighted[0].weight.detach()
        _start_equal(first, skip=self.skip)
        first.div_(first.shape[1])
        self._calibrate()


class NonlinearCombiner(Combiner):
    """Weigh every sample (or pixel) by its own losses: a Softplus network.

    Args:
        depth: Number of hidden layers.
        width: Units of each.
    """

    def __init__(
        self,
        n_tasks: int,
        *,
        depth: int = 5,
        width: int = 10,
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
    ) -> None:
        _check_size(depth, width)
        layers: list[nn.Module] = []
        for size in [n_tasks] + [width] * (depth - 1):
            layers += [nn.Linear(size, width), nn.Softplus()]
        layers.append(nn.Linear(width, 1, bias=False))
        super().__init__(nn.Sequential(*layers), n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)


class ConvCombiner(Combiner):
    """Weigh every pixel by the losses around it: a Softplus ConvNet over loss images (B, T, H, W) of any size.

    Losses (B, T) count as images of one pixel.

    Args:
        channels: Channels of each hidden 3x3 convolution; an average pooling by two follows each.
    """

    def __init__(
        self,
        n_tasks: int,
        *,
        channels: tuple[int, ...] = (8, 16),
        skip: bool = True,
        monotone: bool = True,
        weight_norm: bool = False,
    ) -> None:
        layers: list[nn.Module] = []
        sizes = [n_tasks, *channels]
        for n_in, n_out in pairwise(sizes):
            pool = nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)
            layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.Softplus(), pool]
        layers.append(nn.Conv2d(sizes[-1], 1, 1, bias=False))
        super().__init__(nn.Sequential(*layers), n_tasks, skip=skip, monotone=monotone, weight_norm=weight_norm)

    def forward(self, losses: Tensor) -> Tensor:
        """Return the combined loss of every image, (B,)."""
        images = losses if losses.dim() == 4 else losses[:, :, None, None]
        combined = self.network(images)
        return images[:, 0].mean((1, 2)) + combined if self.skip else combined

    def network(self, losses: Tensor) -> Tensor:
        """Return the network's output without the skip, (B,)."""
        return self.layers(losses).mean((1, 2, 3))

    def _nominal(self) -> Tensor:
        return torch.ones(1, self.n_tasks, 32, 32)


class _WeightNorm(nn.Module):
    """weight = magnitude * direction / |direction|, a row a unit; a direction of zero gives zero, not NaN."""

    def forward(self, magnitude: Tensor, direction: Tensor) -> Tensor:
        """Return the weight."""
        return (magnitude * F.normalize(direction.flatten(1))).view_as(direction)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return magnitude (units, 1) and direction of a weight."""
        return weight.flatten(1).norm(dim=1, keepdim=True), weight


def _revive(magnitude: Tensor, direction: Tensor) -> None:
    """Move a zero from a unit's direction into its magnitude, where it has a finite gradient."""
    dead = direction.flatten(1).sum(1, keepdim=True) == 0
    magnitude.masked_fill_(dead, 0)
    direction.masked_fill_(dead.view(-1, *(1,) * (direction.dim() - 1)), 1)


def _start_equal(weight: Tensor, *, skip: bool) -> None:
    weight.fill_(1)
    if skip:
        weight[:, 0] = 0


def _check_size(depth: int, width: int) -> None:
    for name, value in (("depth", depth), ("width", width)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; found {value}")
