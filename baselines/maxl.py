"""MAXL: generate the auxiliary labels that make the next step better for the main task."""

from typing import ClassVar, get_args

import torch
from torch import Tensor

from auxilearn import LabelMethod, LabelProblem, look_ahead_gradient
from auxilearn.gradients import Randomness, repeatable_means
from auxilearn.hypergradient import full_precision
from auxilearn.method import Batch, HeldOut, trainable


def negative_entropy(labels: Tensor) -> Tensor:
    """Return sum_c m_c log m_c, 0-dim: lowest where all classes are used.

    m (C,) is the mean of the soft labels (B, C) of samples, or (B, C, ...) of their points or pixels.
    """
    mean = labels.mean(dim=(0, *range(2, labels.dim())))
    used = torch.where(mean > 0, mean, 1)  # a class of mass 0 counts 0 and has no gradient
    return (used * used.log()).sum()


class MAXL(LabelMethod):
    """Learn a label generator by looking ahead (Liu, Davison and Johns, NeurIPS 2019, algorithm 1).

    The network minimises main plus auxiliary loss, L_T(W; phi), the auxiliary task being to predict the soft labels
    of a generator with parameters phi. These descend on L_main(W - lr dL_T/dW) + entropy_weight H(phi), with lr the
    network's present learning rate and H the negative entropy of the batch's mean label, without which the labels
    collapse to few classes. Both losses belong to the problem; the paper takes focal ones with gamma 2.

    Cost: an outer step takes 2.5 equal-weighting steps and one of the generator; a training step, a pass through it.

    Departures: one outer step after each `outer_every` training steps, where the paper alternates epochs of the one
    and of the other; the generator's learning rate is constant, where the released code halves it every 50 of
    200 epochs.

    Args:
        problem: The model, its losses and the backbone of the generator.
        entropy_weight: Strength of the pull towards labels of all classes.
        generator_lr: Learning rate of the generator, by SGD without momentum.
        generator_weight_decay: Weight decay of the generator.
        outer_every: Training steps between two steps of the generator.
        held_out: Where the main loss is taken after the step: "train" is the paper's, the very batch of the step;
            "auxiliary" is a batch of the auxiliary set, which the network is then not trained on.
    """

    citation = "Liu, Davison and Johns, NeurIPS 2019, arXiv:1901.08933"
    needs = ("a second pass",)
    search_space: ClassVar = {
        "entropy_weight": (0.2, 0.4, 0.6),
        "generator_lr": (1e-3, 5e-4),
        "generator_weight_decay": (5e-4, 1e-4, 5e-5),
    }

    def __init__(
        self,
        problem: LabelProblem,
        *,
        entropy_weight: float = 0.2,
        generator_lr: float = 1e-3,
        generator_weight_decay: float = 5e-4,
        outer_every: int = 1,
        held_out: HeldOut = "train",
    ) -> None:
        super().__init__(problem)
        if entropy_weight < 0:
            raise ValueError(f"entropy_weight must not be negative; found {entropy_weight}")
        if outer_every < 1:
            raise ValueError(f"outer_every must be at least 1; found {outer_every}")
        if held_out not in get_args(HeldOut):
            raise ValueError(f"unknown held_out {held_out!r}; choose one of: {', '.join(get_args(HeldOut))}")
        self.entropy_weight, self.outer_every = entropy_weight, outer_every
        self.held_out: HeldOut = held_out
        self.optimizer = torch.optim.SGD(
            self.generator.parameters(), lr=generator_lr, weight_decay=generator_weight_decay
        )

    def outer_step(self, train: Batch, held_out: Batch, lr: float) -> None:
        """Move the generator down the main loss after a step on `train`, and towards labels of all classes."""
        assert self.optimizer is not None
        randomness = Randomness()
        params = {name: parameter.detach() for name, parameter in trainable(self.problem.model)}
        judge = train if self.held_out == "train" else held_out
        with full_precision(next(self.generator.parameters()).device):
            with randomness.replayed():
                generated = self.targets(train)
            labels = generated.detach().requires_grad_()
            losses = repeatable_means(self.problem, train, randomness, labels)
            main = repeatable_means(self.problem, judge, randomness)
            found = look_ahead_gradient([lambda p: losses(p).sum()], [lambda p: main(p)[0]], params, [labels], lr=lr)
            penalty = negative_entropy(labels)
            (spread,) = torch.autograd.grad(penalty, labels)
            generated.backward(found.gradients[0] + self.entropy_weight * spread)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.diagnostics = {"held_out_loss": found.held_out_loss, "label_entropy": -penalty.detach()}
