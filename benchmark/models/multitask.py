"""A shared trunk with one linear head for all tasks."""

from collections.abc import Sequence

from torch import Tensor, nn


class MultiTask(nn.Module):
    """Trunk shared by all tasks and a linear head whose outputs are split among the task groups.

    Args:
        trunk: Network that maps inputs to features, (B, features).
        features: Width of the trunk's output; None where the trunk's output is already the tasks' output.
        outputs: Number of outputs of each task group.
    """

    def __init__(self, trunk: nn.Module, features: int | None, outputs: Sequence[int]) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Identity() if features is None else nn.Linear(features, sum(outputs))
        self.outputs = list(outputs)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of each task group, (B, outputs of the group)."""
        return self.head(self.trunk(inputs)).split(self.outputs, dim=1)

    @property
    def last_shared_layer(self) -> nn.Module:
        """The trunk's last linear map or convolution, or its last module with parameters where it has neither."""
        owners = [m for m in self.trunk.modules() if any(True for _ in m.parameters(recurse=False))]
        maps = [m for m in owners if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
        return (maps or owners)[-1]
