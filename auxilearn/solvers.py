"""Solvers of H x = b from products with H alone: the inverse-Hessian-vector product of a hypergradient."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from auxilearn.devices import on_device
from auxilearn.hessian import Product


class Solution(NamedTuple):
    """What a solver found.

    Attributes:
        vector: x, (n,).
        residual: |b - H x| / |b|, 0-dim, with what each solver says of it; NaN where it is not known.
        stopped: Whether it gave up before its last term: the residual grew, or the curvature was negative.
    """

    vector: Tensor
    residual: Tensor
    stopped: bool = False


def inner(first: Tensor, second: Tensor) -> Tensor:
    """Return the inner product of two vectors (n,), 0-dim, to full precision.

    Summed by blocks: one float32 sum over the entries of a network is wrong in the third digit.
    """
    blocks = zip(first.split(2**18), second.split(2**18), strict=True)
    return torch.stack([one.dot(other) for one, other in blocks]).sum()


def length(vector: Tensor) -> Tensor:
    """Return the Euclidean norm of a vector (n,), 0-dim, to full precision."""
    return inner(vector, vector).sqrt()


def neumann(product: Product, vector: Tensor, *, terms: int, alpha: Tensor | float, released: bool = False) -> Solution:
    """Sum the Neumann series x = alpha sum_{j=0..J} (I - alpha H)^j b (Lorraine et al. 2020, Algorithm 3).

    It converges for positive definite H and 0 < alpha < 2 / lambda_max. Each power is the residual of the sum
    before it, so watching it is free: a power that grows is not added and ends the series. The residual returned
    is that of the sum without its last term, or, if the series was stopped, of the sum as it is.

    The last product is left out where alpha H is so small that, going by the decline of the first two, what it would
    add to the second difference of the powers vanishes in the rounding of the sum. That is a judgement and no bound: b
    may hardly have the direction of a large eigenvalue. In float32 the sum is then off by no more than 3e-5 of its
    length where the series with J = 3 converges. On a device for whose answer the host would wait, nobody asks.

    Args:
        product: Products with H.
        vector: b, (n,).
        terms: J, the number of products, or one less as said above.
        alpha: Step size.
        released: Do as the authors' released code does: leave out the factor alpha and watch nothing. The residual is
            still that of alpha times the sum, so that it says how much of the inverse is there, whatever the length.
    """
    power, total, stopped, change = vector, vector.clone(), False, None
    start = size = length(vector)
    factor = -(alpha.to(vector) if isinstance(alpha, Tensor) else vector.new_full((), alpha))
    for left in reversed(range(terms)):
        before, change = change, product(power).mul_(factor)
        power = vector + change if power is vector else power.add_(change)
        previous, size = size, length(power)
        stopped = not released and not bool(size <= previous)  # so that NaN counts as growth
        if stopped:
            break
        total += power
        if left == 1 and before is not None and _is_smooth(bend := change - before, change, total):
            total.add_(power).add_(change).add_(bend)
            size = length(power.add_(change).add_(bend))
            break
    return Solution(total if released else total.mul_(alpha), size / start, stopped)


def _is_smooth(bend: Tensor, change: Tensor, total: Tensor) -> bool:
    """Return whether the next third difference of the powers, by the decline so far, vanishes in their sum.

    Args:
        bend: The last second difference of the powers, alpha^2 H^2 applied to an earlier power.
        change: Their last difference.
        total: Their sum so far.
    """
    if total.device.type != "cpu":
        return False
    size = length(bend)
    return bool(size * size / length(change) <= torch.finfo(total.dtype).eps * length(total))


def conjugate_gradient(product: Product, vector: Tensor, *, terms: int, tolerance: float = 1e-6) -> Solution:
    """Solve by conjugate gradients (Hestenes and Stiefel 1952) from x = 0.

    Stops where the curvature p^T H p is not positive; if that is the first direction, x = b, with the residual 1 of the
    x = 0 that it got to.

    Args:
        product: Products with H.
        vector: b, (n,).
        terms: Most products.
        tolerance: Relative residual at which it is done.
    """
    solution, residual, direction = torch.zeros_like(vector), vector, vector
    start = squared = inner(vector, vector)
    for term in range(terms):
        if bool(squared <= tolerance**2 * start):
            break
        image = product(direction)
        curvature = inner(direction, image)
        if not bool(curvature > 0):
            residual_size = (squared / start).sqrt()
            return Solution(solution if term else vector, residual_size, stopped=True)
        step = squared / curvature
        solution = solution + step * direction
        residual = residual - step * image
        previous, squared = squared, inner(residual, residual)
        direction = residual + squared / previous * direction
    return Solution(solution, (squared / start).sqrt())


def nystrom(
    product: Product, vector: Tensor, *, terms: int, damping: float, generator: torch.Generator | None = None
) -> Solution:
    """Invert a low-rank Nystrom approximation of H plus damping (Hataya and Yamada 2023, Eq. 6).

    Departure: H is sketched along random orthonormal directions, as in Frangella et al. 2021, not along
    coordinates, most of which carry next to no curvature in a network.

    Args:
        product: Products with H, undamped.
        vector: b, (n,).
        terms: Rank of the approximation. Memory is twice that many vectors; the residual takes one more product.
        damping: rho > 0 of H + rho I.
        generator: Source of the directions, on the CPU.
    """
    shape = (vector.numel(), min(terms, vector.numel()))
    directions = on_device(torch.randn(shape, generator=generator, dtype=vector.dtype), vector.device)
    directions = torch.linalg.qr(directions).Q
    images = torch.stack([product(direction) for direction in directions.T], 1)
    core = (damping * directions.T @ images + images.T @ images).double()
    inverse = torch.linalg.pinv((core + core.T) / 2, hermitian=True).to(vector.dtype)
    solution = (vector - images @ (inverse @ (images.T @ vector))) / damping
    residual = vector - product(solution) - damping * solution
    return Solution(solution, length(residual) / length(vector))


def damped(product: Product, damping: float) -> Product:
    """Return the product with H + `damping` I."""
    return (lambda vector: product(vector).add_(vector, alpha=damping)) if damping else product


def preconditioned(
    solve: Callable[[Product, Tensor], Solution], product: Product, vector: Tensor, scale: Tensor
) -> Solution:
    """Solve in the coordinates of an optimiser that scales the gradient by S, (n,): with S^1/2 H S^1/2.

    The exact solution stays; the identity approximation becomes S b. The residual is in the new coordinates.
    """
    root = scale.sqrt()
    solution = solve(lambda other: product(root * other).mul_(root), root * vector)
    return solution._replace(vector=root * solution.vector)


class PowerIteration:
    """A running estimate of the largest absolute eigenvalue of a matrix that changes slowly.

    One product a call, a few at the first. The estimate rises at once and decays slowly, for a step that is too
    large is worse than one too small.

    Args:
        warm_up: Products of the first call.
        decay: Weight of the previous estimate where the new one is smaller.
    """

    def __init__(self, *, warm_up: int = 5, decay: float = 0.9) -> None:
        self.warm_up, self.decay = warm_up, decay
        self.direction: Tensor | None = None
        self.estimate: Tensor | None = None

    def update(self, product: Product, start: Tensor) -> Tensor:
        """Return the new estimate, 0-dim; `start` (n,) is where a first iteration begins."""
        fresh = self.direction is None or self.direction.shape != start.shape
        direction = start / length(start) if self.direction is None or fresh else self.direction
        size = torch.zeros_like(start[0])
        for _ in range(self.warm_up if fresh else 1):
            image = product(direction)
            size = length(image)
            direction = image / size
        if self.estimate is not None and not fresh:
            size = torch.maximum(size, self.decay * self.estimate + (1 - self.decay) * size)
        if bool(size.isfinite() & (size > 0)):
            self.direction, self.estimate = direction, size
        return size
