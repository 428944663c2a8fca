"""The inverse Hessian as AuxiLearn takes it: a solver with its settings and its running estimates."""

from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from auxilearn import solvers
from auxilearn.hessian import Product
from auxilearn.solvers import PowerIteration, Solution

SOLVERS = ("identity", "neumann", "cg", "nystrom")
RELEASED_ALPHA = 1e-4

SolverName = Literal["identity", "neumann", "cg", "nystrom"]
Mode = Literal["paper", "corrected"]
Preconditioner = Literal["sgd", "adam"]


class InverseHessian:
    """Approximates H^-1 b.

    Args:
        solver: "identity", "neumann", "cg" (conjugate gradient) or "nystrom".
        mode: How the Neumann series is scaled. "paper" does as the authors' released code: it leaves out the
            factor alpha. "corrected" takes 1 / the largest eigenvalue for alpha unless one is given, and watches
            the residual.
        terms: Neumann's J, the most steps of "cg", the rank of "nystrom".
        alpha: Step size of the Neumann series. By default 1e-4 in mode "paper", estimated in "corrected".
        damping: rho of H + rho I; the place for the weight decay of an optimiser that adds it to the gradient. With
            preconditioner "adam" it acts in Adam's coordinates.
        preconditioner: The optimiser of the network. "adam" solves in the coordinates of Adam, of which `observe`
            gathers the second moments; "identity" is then Adam's scale of a step, normalised to mean one.
    """

    def __init__(
        self,
        *,
        solver: SolverName = "neumann",
        mode: Mode = "paper",
        terms: int = 3,
        alpha: float | None = None,
        damping: float = 0.0,
        preconditioner: Preconditioner = "sgd",
    ) -> None:
        for name, value, allowed in [
            ("solver", solver, SOLVERS),
            ("mode", mode, ("paper", "corrected")),
            ("preconditioner", preconditioner, ("sgd", "adam")),
        ]:
            if value not in allowed:
                raise ValueError(f"unknown {name} {value!r}; choose one of: {', '.join(allowed)}")
        if terms < 0:
            raise ValueError(f"terms must not be negative; found {terms}")
        if damping < 0:
            raise ValueError(f"damping must not be negative; found {damping}")
        if alpha is not None and not alpha > 0:
            raise ValueError(f"alpha must be positive; found {alpha}")
        if solver == "nystrom" and damping <= 0:
            raise ValueError(f"solver 'nystrom' needs damping > 0; found {damping}")
        self.solver, self.mode, self.terms = solver, mode, terms
        self.alpha, self.damping, self.preconditioner = alpha, damping, preconditioner
        self.eigenvalue = PowerIteration()
        self.calls = 0
        self._second_moment: Tensor | None = None
        self._observed = 0

    def __call__(self, product: Product, vector: Tensor) -> Solution:
        """Return the solution of H x = `vector` (n,) from products with H."""
        self.calls += 1
        scale = self._adam_scale()
        if scale is None:
            return self._solve(product, vector)
        return solvers.preconditioned(self._solve, product, vector, scale)

    @property
    def is_identity(self) -> bool:
        """Whether H^-1 b is just b."""
        return self.solver == "identity" and self.preconditioner == "sgd"

    def observe(self, gradient: Tensor, *, decay: float = 0.999) -> None:
        """Update Adam's second moments with a training gradient, flat (n,)."""
        if self._second_moment is None or self._second_moment.shape != gradient.shape:
            self._second_moment, self._observed = torch.zeros_like(gradient), 0
        self._second_moment.lerp_(gradient.square(), 1 - decay)
        self._observed += 1

    def state(self) -> dict[str, Any]:
        """Return what changes from call to call, for a checkpoint."""
        return {
            "calls": self.calls,
            "observed": self._observed,
            "second_moment": self._second_moment,
            "direction": self.eigenvalue.direction,
            "estimate": self.eigenvalue.estimate,
        }

    def load(self, state: dict[str, Any], *, device: torch.device) -> None:
        """Restore what `state` returned."""

        def own(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device, copy=True)

        self.calls, self._observed = state["calls"], state["observed"]
        self._second_moment = own(state["second_moment"])
        self.eigenvalue.direction, self.eigenvalue.estimate = own(state["direction"]), own(state["estimate"])

    def _solve(self, product: Product, vector: Tensor) -> Solution:
        if self.solver == "identity":
            return Solution(vector, torch.full_like(vector[0], torch.nan))
        if self.solver == "nystrom":
            # seeded by the call: resumable, and the global stream is left alone
            generator = torch.Generator().manual_seed(self.calls)
            return solvers.nystrom(product, vector, terms=self.terms, damping=self.damping, generator=generator)
        product = solvers.damped(product, self.damping)
        if self.solver == "cg":
            return solvers.conjugate_gradient(product, vector, terms=self.terms)
        series = partial(solvers.neumann, product, vector, terms=self.terms)
        if self.mode == "paper":
            return series(alpha=RELEASED_ALPHA if self.alpha is None else self.alpha, released=True)
        return series(alpha=1 / self.eigenvalue.update(product, vector) if self.alpha is None else self.alpha)

    def _adam_scale(self) -> Tensor | None:
        if self.preconditioner == "sgd" or self._second_moment is None:
            return None
        corrected = self._second_moment / (1 - 0.999**self._observed)
        moved = corrected > 0  # parameters that never had a gradient would dominate the mean
        scale = torch.where(moved, 1 / (corrected.sqrt() + 1e-8), 0)
        return torch.where(moved, scale * moved.sum() / scale.sum(), 1)
