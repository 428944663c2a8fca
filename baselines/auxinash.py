"""AuxiNash: a bargaining game in which each task's power is learnt from its use to the main task."""

from functools import partial
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor, nn

from auxilearn import Parts, Problem, hypergradient, solvers, split_parameters
from auxilearn.bargaining import Bargaining, agreement, preference_gradient
from auxilearn.gradients import Randomness, repeatable_means
from auxilearn.hessian import Objective, Parameters, as_leaves
from auxilearn.hypergradient import Hypergradient
from auxilearn.method import Batch, HeldOut, trainable
from auxilearn.precision import full_precision

SMALLEST_PREFERENCE = 1e-4
"""Least bargaining power, before the powers are scaled to sum to their number."""

NEUMANN_STEP = 1e-4
"""Step size of the Neumann series, as released."""


class AuxiNash(Bargaining):
    """Auxiliary learning as an asymmetric bargaining game (Shamsian, Navon, Glazer, Kawaguchi, Chechik, Fetaya, 2023).

    From ICML 2023, algorithm 1. Weights a > 0 solve G a = p / a. Every `outer_every` steps the preferences p take a
    step of SGD with momentum 0.9 down the main loss L_V of another batch, by Equation 6,

        dL_V / dp = - grad L_V^T H^-1 [g_1 ... g_K] da / dp,    da / dp = (G + diag(p / a^2))^-1 diag(1 / a),

    with H the Hessian of sum_i a_i L_i in the shared parameters, inverted by a Neumann series of `terms` products,
    and <H^-1 grad L_V, g_i> of all tasks from one forward-mode pass. p is as long as there are parts, is kept at
    0.0001 or above and sums to their number: with p = 1 it is Nash-MTL, of which see the scale and the cost.

    Cost, in units of an equal-weighting step, beside that of Nash-MTL: of an outer step that of Nash-MTL again, 2, and
    3 for each term.

    Departures: those of Nash-MTL; a and G of an outer step belong to its own training batch, where the authors' code
    takes them from the last step and the gradients from a new batch. From that code: p sums to the number of tasks,
    not to 1, its gradient is clipped to norm 1, and the Neumann series has a step of 0.0001 but not its factor.

    Args:
        problem: The model and its losses.
        preference_lr: Learning rate of p. The paper fixes 0.005, and compares the three of the search space.
        terms: Products in the Neumann series; 0 takes H for the identity.
        outer_every: Training steps between two steps of p.
        held_out: Which set the other batch is from: "train" is the paper's choice, "auxiliary" the alternative that it
            compares with, a set that the network is not trained on.
        **settings: See `Bargaining`.
    """

    citation = "Shamsian, Navon, Glazer, Kawaguchi, Chechik and Fetaya, ICML 2023, arXiv:2301.13501"
    needs = ("per-task gradients", "gradient products", "a second pass")
    search_space: ClassVar = {"preference_lr": (1e-3, 5e-3, 1e-2)}

    def __init__(
        self,
        problem: Problem,
        *,
        preference_lr: float = 5e-3,
        terms: int = 3,
        outer_every: int = 25,
        held_out: HeldOut = "train",
        **settings: Any,
    ) -> None:
        super().__init__(problem, **settings)
        if terms < 0:
            raise ValueError(f"terms must not be negative; found {terms}")
        if outer_every < 1:
            raise ValueError(f"outer_every must be at least 1; found {outer_every}")
        if held_out not in get_args(HeldOut):
            raise ValueError(f"unknown held_out {held_out!r}; choose one of: {', '.join(get_args(HeldOut))}")
        self.terms, self.outer_every = terms, outer_every
        self.held_out: HeldOut = held_out
        self.preferences = nn.Parameter(torch.ones(len(self.get_buffer("members"))))
        self.optimizer = torch.optim.SGD([self.preferences], lr=preference_lr, momentum=0.9)

    def preferences_of(self, parts: Parts) -> Tensor:
        """Return p of the parts that have a gradient, (K,), in float64 on the CPU."""
        return self.preferences.detach().cpu().double()[parts.present]

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        """Move the preferences down the main loss of `held_out`."""
        assert self.optimizer is not None
        with full_precision(self.preferences.device):
            found = self.hypergradient(train, held_out)
        (gradient,) = found.gradients
        norm = gradient.norm()
        # one that is not finite is dropped, without asking the device whether it is
        self.preferences.grad = torch.where(norm.isfinite(), gradient / norm.clamp(min=1), 0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.preferences.clamp_(min=SMALLEST_PREFERENCE)
            self.preferences.mul_(len(self.preferences) / self.preferences.sum())
        self.diagnostics = {
            "hypergradient_norm": norm,
            "held_out_loss": found.held_out_loss,
            "main_preference": self.preferences[0].detach() / len(self.preferences),
        }

    def hypergradient(self, train: Batch, held_out: Batch) -> Hypergradient:
        """Return dL_V / dp, (parts,), with 0 for parts without a label in `train`, and what was met on the way."""
        randomness = Randomness()
        means, main = (repeatable_means(self.problem, batch, randomness) for batch in (train, held_out))
        known = {id(parameter) for parameter in split_parameters(self.problem)[0]}
        named = trainable(self.problem.model)
        shared = {name: parameter.detach() for name, parameter in named if id(parameter) in known}
        parts = self._parts(lambda params: self.values(means(params)), shared)
        preferences = self.preferences_of(parts)
        agreed = agreement(parts.gramian, preferences, resolution=parts.resolution)
        like = next(iter(shared.values()))
        weights = like.new_zeros(len(parts.present))
        present = parts.present.to(like.device)
        weights[present] = agreed.weights.to(like)
        weights.requires_grad_()
        series = partial(solvers.neumann, terms=self.terms, alpha=NEUMANN_STEP, released=True)
        found = hypergradient(
            [lambda params: weights @ self.values(means(params))],
            [lambda params: main(params)[0]],
            shared,
            [weights],
            solve=series,
        )
        gradient = torch.zeros_like(self.preferences)
        by_weight = found.gradients[0].cpu().double()[parts.present]
        gradient[present] = preference_gradient(agreed, preferences, by_weight).to(gradient)
        return found._replace(gradients=[gradient])

    def _parts(self, values: Objective, shared: Parameters) -> Parts:
        """Return what the rule sees at `shared` of the losses that `values` maps them to, (parts,)."""
        leaves = as_leaves(shared)
        with self.recorded() as outputs:
            losses = values(leaves)
        return self.parts(losses, self.rows(losses, list(leaves.values()), outputs))
