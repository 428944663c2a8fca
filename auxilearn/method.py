"""Problem and Method: the one interface between a training loop and a way of using auxiliary tasks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from auxilearn.precision import without_autocast

Batch = Any
Parameters = Mapping[str, Tensor]
TaskKind = Literal["classification", "regression"]
HeldOut = Literal["auxiliary", "train"]
Need = Literal["held-out data", "per-task gradients", "gradient products", "loss history", "a second pass"]


class Problem(Protocol):
    """A model, its tasks and their losses. Task 0 is the main task."""

    @property
    def model(self) -> nn.Module:
        """The network with its task heads."""
        ...

    @property
    def n_tasks(self) -> int:
        """Number of tasks T, the main one included."""
        ...

    @property
    def task_kinds(self) -> Sequence[TaskKind]:
        """Likelihood of each task, read by methods that model noise."""
        ...

    @property
    def task_groups(self) -> Sequence[int]:
        """Number of each task's group, (T,), from 0 for the main task alone upwards without a gap.

        Read by methods that need the gradient of every task apart, for which hundreds of tasks are too many.
        """
        ...

    @property
    def last_shared_layer(self) -> nn.Module:
        """The last module that all tasks share, read by methods that balance its gradients."""
        ...

    @property
    def loss_images(self) -> bool:
        """Whether losses are images, (B, T, H, W), rather than vectors, (B, T)."""
        ...

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that more than one task uses."""
        ...

    def losses(self, batch: Batch, params: Parameters | None = None, targets: Any = None) -> Tensor:
        """Return the unreduced losses, (B, T) or (B, T, H, W).

        An invalid pixel or unlabelled sample carries loss 0 and valid ones are scaled by all / valid of the
        batch, so that a plain mean over the batch is the masked mean. Under autocast they are in float32, whatever
        the network's outputs are in.

        Args:
            batch: Whatever the training loop iterates over; methods pass it on unread.
            params: Parameters to use instead of the model's own, by name. With it the call is functional: it
                leaves the model's buffers alone (see `stateless_call`).
            targets: Generated auxiliary targets, from `Method.targets`.
        """
        ...


class Method(nn.Module):
    """A way to train with auxiliary tasks; hooks that a training loop calls, in the order below.

    ```python
    method = SomeMethod(problem).to(device)
    for step, batch in enumerate(train_batches):
        if method.outer_every and step % method.outer_every == 0:
            method.outer_step(batch, next(held_out), lr=optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        losses = method.backward(batch)
        optimizer.step()
        method.step(batch)
    method.end_epoch(mean_task_losses_of_the_epoch)
    ```

    The loop steps the model; the method steps itself and owns its optimiser. It holds no parameter of the model,
    and all its state, the optimiser's included, is in its `state_dict`.

    `backward` and `step` may be called under autocast, each under one of its own: passes of the network, and its
    losses, then run in reduced precision. All that a method makes of the losses does not, nor does `outer_step`.

    Constructor arguments after `problem` are keyword-only hyper-parameters of plain types with defaults; those
    a benchmark should tune are listed in `search_space`.
    """

    citation: ClassVar[str] = ""
    search_space: ClassVar[Mapping[str, tuple[float | int | str | bool, ...]]] = {}
    one_a_task: ClassVar[Mapping[str, str]] = {}
    """Names in `search_space` of numbers that all auxiliary tasks share, each with the name of the hyper-parameter
    that takes one number a task instead, the main task's first, as in 1/0.5/0.1."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """What the method needs beyond the losses of the batch, for tables of methods."""
    waits: ClassVar[str] = ""
    """Why the host has to wait for the device in every training step; empty for methods that let it run ahead."""
    outer_every: int = 0
    """Steps between two calls of `outer_step`; 0 for single-level methods, which need no held-out data."""
    generates_labels: ClassVar[bool] = False
    """Whether `targets` makes labels for an auxiliary task that has none of its own."""
    held_out: HeldOut = "auxiliary"
    """Whether `outer_step` learns from batches of the auxiliary set or from other batches of the training set."""

    problem: Problem

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.__dict__["problem"] = problem  # a problem that is a module must not become part of this one
        self.optimizer: torch.optim.Optimizer | None = None
        self.diagnostics: dict[str, Tensor] = {}

    @classmethod
    def declines(cls, problem: Problem) -> str | None:
        """Return the reason why this method cannot serve `problem`, or None if it can.

        A method that makes no labels has nothing to do where they are to be generated.
        """
        generated = bool(getattr(problem, "subclasses", ())) and not cls.generates_labels
        return "its auxiliary labels are generated, not given" if generated else None

    def targets(self, batch: Batch) -> Any:
        """Return generated auxiliary targets for `batch`, or None to use the problem's own."""
        return None

    def combine(self, losses: Tensor) -> Tensor:
        """Reduce unreduced losses, (B, T) or (B, T, H, W), to the scalar that is minimised. Changes no state."""
        raise NotImplementedError(f"{type(self).__name__} must define combine or backward")

    def combined(self, losses: Tensor) -> Tensor:
        """Return what `combine` makes of losses.

        Raises:
            TypeError: It is no scalar tensor.
        """
        found: Any = self.combine(losses)
        if not isinstance(found, Tensor) or found.dim():
            kind = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise TypeError(f"combine of {type(self).__name__} returned {kind}, not a scalar tensor")
        return found

    def backward(self, batch: Batch) -> Tensor:
        """Add the training gradient to `.grad` of the model's parameters and return the detached losses."""
        losses = self.problem.losses(batch, targets=self.targets(batch))
        with without_autocast(losses.device):
            self.combined(losses).backward()
        return losses.detach()

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        """Update the method from held-out data; the model stays bit for bit as it is.

        In full precision, whatever autocast is around it. It may wait for the device.

        Args:
            train: A training batch.
            held_out: A batch of the auxiliary set, which the model is never trained on; where `self.held_out` is
                "train", another batch of the training set.
            lr: The model's present learning rate.
        """

    def step(self, batch: Batch) -> None:
        """Update the method after the model's step: its own optimiser, renormalisation, look-back."""

    def end_epoch(self, task_losses: Tensor) -> None:
        """Note the epoch's mean training loss of each task, (T,)."""

    def weights(self, losses: Tensor) -> Tensor:
        """Return the effective weight of each task on `losses`, (T,): d combine / d losses summed over the samples."""
        leaf = losses.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.combined(leaf), leaf)
        return gradient.sum(dim=(0, *range(2, losses.dim())))

    def get_extra_state(self) -> dict[str, Any]:
        """Return the state of the method's optimiser, so that `state_dict` is complete."""
        return {} if self.optimizer is None else {"optimizer": self.optimizer.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        if self.optimizer is not None:
            self.optimizer.load_state_dict(state["optimizer"])


def task_means(losses: Tensor) -> Tensor:
    """Return the mean loss of each task, (T,), from losses of shape (B, T) or (B, T, H, W)."""
    return losses.mean(dim=(0, *range(2, losses.dim())))


def stateless_call(model: nn.Module, params: Parameters | None, *inputs: Any) -> Any:
    """Call `model(*inputs)`; with `params`, use those instead of its own and leave its buffers alone.

    Buffers are cloned for the functional call, so BatchNorm uses batch statistics in training mode as always and
    its running statistics do not move.
    """
    if params is None:
        return model(*inputs)
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    return functional_call(model, {**params, **buffers}, inputs)


def trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield names and parameters of `model` that are trained (not frozen)."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
