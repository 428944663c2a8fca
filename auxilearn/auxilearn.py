"""AuxiLearn: learn how to combine, or to generate, auxiliary tasks by implicit differentiation."""

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor

from auxilearn.combiners import Combiner
from auxilearn.curvature import InverseHessian, Mode, Preconditioner, SolverName
from auxilearn.generators import LabelGenerator, LabelSource
from auxilearn.gradients import Randomness
from auxilearn.hessian import HessianKind, Objective, Parameters, flatten, value_and_gradient
from auxilearn.hypergradient import Hypergradient, hypergradient
from auxilearn.method import Batch, Method, Need, Problem, task_means, trainable
from auxilearn.precision import full_precision, without_autocast


class Batches(tuple[Batch, ...]):
    """Several batches that count as one in `AuxiLearn.outer_step`: the mean of their losses."""


class AuxiLearn(Method):
    """Navon et al., ICLR 2021, Algorithms 1 and 2: phi follows the implicit gradient of a held-out main loss.

    The network is trained on the mean of `combiner(losses)`, with phi held constant. Every `outer_every` steps
    phi, the parameters of the combiner and of the generator, takes a step of SGD with momentum and weight decay on
    the main loss of the auxiliary set. That step leaves the model as it is.

    Departures: mode "paper" leaves out the Neumann series' factor alpha, as the released code does; "corrected" has
    it. A hypergradient that is not finite is dropped. The main task's weight inside a combiner with a skip
    starts at 0, where it starts like the others' in the released code.

    Args:
        problem: The model and its losses; with a generator also a `LabelSource`.
        combiner: g(l; phi).
        generator: Makes the labels of the auxiliary task.
        outer_every: Training steps between two steps of phi.
        auxiliary_lr: Learning rate of phi.
        auxiliary_weight_decay: Weight decay of phi.
        auxiliary_momentum: Momentum of phi.
        clip_norm: Largest norm of the hypergradient.
        solver: See `InverseHessian`, as for `mode`, `terms`, `alpha`, `damping` and `preconditioner`.
        hessian: How Hessian-vector products are made: "exact" or "difference", see `hessian_product`.
        look_ahead: Measure the held-out loss also after a gradient step of the network with the new phi, which
            costs one and a half training steps more.
    """

    citation: ClassVar[str] = "Navon, Achituve, Maron, Chechik and Fetaya, ICLR 2021, arXiv:2007.02693"
    needs: ClassVar[tuple[Need, ...]] = ("held-out data",)
    search_space: ClassVar[Mapping[str, tuple[float | int | str | bool, ...]]] = {
        "auxiliary_lr": (1e-2, 1e-3),
        "auxiliary_weight_decay": (1e-5, 5e-5),
    }

    def __init__(
        self,
        problem: Problem,
        combiner: Combiner,
        generator: LabelGenerator | None = None,
        *,
        outer_every: int = 20,
        auxiliary_lr: float = 1e-2,
        auxiliary_weight_decay: float = 1e-5,
        auxiliary_momentum: float = 0.9,
        clip_norm: float = 10.0,
        solver: SolverName = "neumann",
        mode: Mode = "paper",
        terms: int = 3,
        alpha: float | None = None,
        damping: float = 0.0,
        preconditioner: Preconditioner = "sgd",
        hessian: HessianKind = "exact",
        look_ahead: bool = False,
    ) -> None:
        super().__init__(problem)
        if generator is not None and not isinstance(problem, LabelSource):
            raise TypeError(f"a generator needs a LabelSource; {type(problem).__name__} lacks some of its attributes")
        if hessian not in get_args(HessianKind):
            raise ValueError(f"unknown hessian {hessian!r}; choose one of: {', '.join(get_args(HessianKind))}")
        if outer_every < 1:
            raise ValueError(f"outer_every must be at least 1; found {outer_every}")
        if not clip_norm > 0:
            raise ValueError(f"clip_norm must be positive; found {clip_norm}")
        like = next(problem.model.parameters())
        precision = torch.float64 if like.dtype == torch.float64 else torch.float32
        self.combiner = combiner.to(like.device, precision)
        self.generator = generator if generator is None else generator.to(like.device)
        self.outer_every, self.clip_norm = outer_every, clip_norm
        self.hessian: HessianKind = hessian
        self.look_ahead = look_ahead
        self.inverse_hessian = InverseHessian(
            solver=solver, mode=mode, terms=terms, alpha=alpha, damping=damping, preconditioner=preconditioner
        )
        self.optimizer = torch.optim.SGD(
            self.parameters(), lr=auxiliary_lr, momentum=auxiliary_momentum, weight_decay=auxiliary_weight_decay
        )

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Return a reason if there is no auxiliary task, or one without labels and nothing that generates them."""
        return super().declines(problem) or (None if problem.n_tasks > 1 else "it needs at least one auxiliary task")

    def targets(self, batch: Batch) -> Tensor | None:
        """Return the generated labels (B, C, ...) of a batch, or None without a generator."""
        if self.generator is None or not isinstance(self.problem, LabelSource):
            return None
        return self.generator(*self.problem.inputs_and_labels(batch))

    def combine(self, losses: Tensor) -> Tensor:
        """Return the mean combined loss, in full precision."""
        phi = next(self.combiner.parameters())
        with without_autocast(losses.device):
            return self.combiner(losses.to(phi.dtype)).mean()

    def sample_weights(self, losses: Tensor) -> Tensor:
        """Return alpha_j = dg / dl_j of every sample (or pixel), in the shape of `losses`."""
        return self._cotangent(losses) * (losses.numel() // losses.shape[1])

    def backward(self, batch: Batch) -> Tensor:
        """Add the training gradient to the model's `.grad`, phi held constant; return the detached losses."""
        with torch.no_grad():
            targets = self.targets(batch)
        losses = self.problem.losses(batch, targets=targets)
        with without_autocast(losses.device):
            losses.backward(self._cotangent(losses))
        return losses.detach()

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        """Move phi along the implicit hypergradient of the held-out main loss.

        Args:
            train: A training batch, or several as `Batches`.
            held_out: A batch of the auxiliary set, or several as `Batches`.
            lr: The model's present learning rate, of the look-ahead.
        """
        params = {name: parameter.detach() for name, parameter in trainable(self.problem.model)}
        phi = list(self.parameters())
        randomness = Randomness()
        with full_precision(phi[0].device):
            held_out_losses = [self._held_out_loss(batch, randomness) for batch in _batches(held_out)]
            found = hypergradient(
                [self._train_loss(batch, randomness) for batch in _batches(train)],
                held_out_losses,
                params,
                phi,
                solve=None if self.inverse_hessian.is_identity else self.inverse_hessian,
                hessian=self.hessian,
            )
            self._descend(phi, found)
            if self.look_ahead:
                train_losses = [self._train_loss(batch, randomness) for batch in _batches(train)]
                _, gradient = value_and_gradient(train_losses, params)
                moved = {name: value - lr * gradient[name] for name, value in params.items()}
                with torch.no_grad():
                    after = torch.stack([loss(moved) for loss in held_out_losses]).mean()
                self.diagnostics["held_out_loss_after"] = after

    def step(self, batch: Batch) -> None:
        """Note the training gradient if the hypergradient takes Adam's preconditioner."""
        if self.inverse_hessian.preconditioner == "adam":
            parameters = [parameter for _, parameter in trainable(self.problem.model)]
            self.inverse_hessian.observe(
                flatten([p.new_zeros(p.shape) if p.grad is None else p.grad for p in parameters])
            )

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state of phi's optimiser and of the running estimates."""
        return {**super().get_extra_state(), "inverse_hessian": self.inverse_hessian.state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        super().set_extra_state(state)
        self.inverse_hessian.load(state["inverse_hessian"], device=next(self.parameters()).device)

    def _cotangent(self, losses: Tensor) -> Tensor:
        leaf = losses.detach().requires_grad_()
        # backward passes, too, would run in the precision of an autocast around them
        with torch.enable_grad(), without_autocast(losses.device):
            return torch.autograd.grad(self.combined(leaf), leaf)[0]

    def _train_loss(self, batch: Batch, randomness: Randomness) -> Objective:
        with randomness.replayed():
            targets = self.targets(batch)

        def loss(params: Parameters) -> Tensor:
            with randomness.replayed():
                return self.combined(self.problem.losses(batch, params, targets))

        return loss

    def _held_out_loss(self, batch: Batch, randomness: Randomness) -> Objective:
        with torch.no_grad(), randomness.replayed():
            targets = self.targets(batch)

        def loss(params: Parameters) -> Tensor:
            with randomness.replayed():
                return task_means(self.problem.losses(batch, params, targets))[0]

        return loss

    def _descend(self, phi: list[torch.nn.Parameter], found: Hypergradient) -> None:
        norm = torch.linalg.vector_norm(flatten(found.gradients))
        factor = (self.clip_norm / norm).clamp(max=1)
        for parameter, gradient in zip(phi, found.gradients, strict=True):
            # a hypergradient that is not finite is dropped, without asking the device whether it is
            parameter.grad = torch.where(norm.isfinite(), factor * gradient, 0).to(parameter.dtype)
        if self.optimizer is not None:
            self.optimizer.step()
            self.optimizer.zero_grad()
        self.combiner.project()
        eigenvalue = self.inverse_hessian.eigenvalue.estimate
        self.diagnostics = {
            "hypergradient_norm": norm,
            "clipped": (norm > self.clip_norm).to(norm.dtype),
            "residual": found.residual,
            "stopped": torch.full_like(norm, found.stopped),
            "cosine_to_identity": found.cosine,
            "largest_eigenvalue": torch.full_like(norm, torch.nan) if eigenvalue is None else eigenvalue,
            "held_out_loss": found.held_out_loss,
        }


def _batches(batch: Batch) -> tuple[Batch, ...]:
    return batch if isinstance(batch, Batches) else (batch,)
