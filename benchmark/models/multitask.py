"""A shared trunk with one linear head for all tasks, or with a head for each task group."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn


class MultiTask(nn.Module):
    """Trunk shared by all tasks and a linear head whose outputs are split among the task groups.

    Attributes:
        loss_images: Whether the outputs, and so the losses, are images (B, ..., H, W) of the scene.

    Args:
        trunk: Network that maps inputs to features, (B, features).
        features: Width of the trunk's output; None where the trunk's output is already the tasks' output.
        outputs: Number of outputs of each task group.
    """

    loss_images = False

    def __init__(self, trunk: nn.Module, features: int | None, outputs: Sequence[int]) -> None:
        super().__init__()
        self.trunk = trunk
        self.head: nn.Module = nn.Identity() if features is None else nn.Linear(features, sum(outputs))
        self.outputs = list(outputs)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of each task group, (B, outputs of the group, ...)."""
        return self.head(self.trunk(inputs)).split(self.outputs, dim=1)

    @property
    def last_shared_layer(self) -> nn.Module:
        """The trunk's last linear map or convolution, or its last module with parameters where it has neither."""
        owners = [m for m in self.trunk.modules() if any(True for _ in m.parameters(recurse=False))]
        maps = [m for m in owners if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
        return (maps or owners)[-1]


class MultiHead(MultiTask):
    """Trunk shared by all tasks and a head of its own for each task group, of any kind.

    Args:
        trunk: Network that maps inputs to what the heads take.
        heads: Network of each task group, from the trunk's output to (B, outputs of the group, ...).
        loss_images: Whether the outputs are images of the scene; points without an order are none.
    """

    def __init__(self, trunk: nn.Module, heads: Iterable[nn.Module], *, loss_images: bool = False) -> None:
        super().__init__(trunk, None, ())
        self.head = nn.ModuleList(heads)
        self.loss_images = loss_images

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of each task group, (B, outputs of the group, ...)."""
        features = self.trunk(inputs)
        return tuple([head(features) for head in self.head.children()])
