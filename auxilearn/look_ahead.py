"""Look-ahead: how outer parameters change a held-out loss through one step of gradient descent of the network."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from auxilearn.hessian import Objective, Parameters, value_and_gradient
from auxilearn.hypergradient import mixed_partial


class LookAhead(NamedTuple):
    """The look-ahead gradient and the loss that was met there.

    Attributes:
        gradients: dL_A(W') / dphi, one tensor for each of phi.
        held_out_loss: L_A(W'), 0-dim.
    """

    gradients: list[Tensor]
    held_out_loss: Tensor


def look_ahead_gradient(
    train: Sequence[Objective],
    held_out: Sequence[Objective],
    params: Parameters,
    phi: Sequence[Tensor],
    *,
    lr: float,
) -> LookAhead:
    """Return the gradient in phi of L_A(W'), with W' = W - lr dL_T(W; phi)/dW, phi no direct argument of L_A.

    It is - lr grad L_A(W')^T d^2 L_T / dW dphi, exactly what differentiating through the step twice gives (MAXL,
    Liu et al. 2019; Auto-Lambda, Liu et al. 2022), at the cost of two gradients and one forward-mode pass, see
    `mixed_partial`. Nothing is changed: neither parameters nor any `.grad`.

    Args:
        train: L_T, one objective a batch, averaged; it uses the tensors of `phi`.
        held_out: L_A, one objective a batch, averaged.
        params: W by name.
        phi: The outer parameters, which require grad.
        lr: Length of the step.
    """
    _, gradient = value_and_gradient(train, params)
    moved = {name: value.detach() - lr * gradient[name] for name, value in params.items()}
    loss, direction = value_and_gradient(held_out, moved)
    return LookAhead([-lr * part for part in mixed_partial(train, params, direction, phi)], loss)
