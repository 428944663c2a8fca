"""ResNet-18 (He et al., CVPR 2016), torchvision's, as a trunk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import UserError


def resnet18(*, weights: str | Path = "none", classifier: bool = False) -> tuple[nn.Module, int]:
    """Return the trunk, (B, 3, H, W) to (B, features), and the number of its features.

    Args:
        weights: `none` for a random start, `imagenet` for torchvision's weights, which are downloaded once, or a
            file with a state_dict of ResNet-18.
        classifier: Keep the last linear map, to 1,000 features, as the paper's released code did; else there are
            the 512 before it.

    Raises:
        UserError: The weights cannot be had, or are those of another network.
    """
    from torchvision.models import resnet18 as network  # takes seconds, which a plan does not need

    trunk, features = network(weights=None), 1000
    if not classifier:
        trunk.fc, features = nn.Identity(), trunk.fc.in_features  # type: ignore[assignment]
    if weights != "none":
        state = _imagenet() if weights == "imagenet" else _read(Path(weights))
        _load(trunk, state, source=str(weights))
    return trunk, features


def _imagenet() -> Any:
    from torchvision.models import ResNet18_Weights

    weights = ResNet18_Weights.IMAGENET1K_V1
    place = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # of the network, the disk or the file, whatever that holds
        raise UserError(
            f"there are no ImageNet weights: {_line(error)}; get {weights.url}, put it at {place}, "
            "or choose as weights none or a file"
        ) from error


def _read(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of the disk or the file, whatever that holds
        raise UserError(
            f"cannot read weights from {path}: {_line(error)}; choose none, imagenet, "
            "or a file with the state_dict of a ResNet-18"
        ) from error


def _load(network: nn.Module, state: Any, *, source: str) -> None:
    """Load all of the network's tensors; those of a last linear map that it does not have may be there."""
    if not isinstance(state, Mapping) or not all(isinstance(item, Tensor) for item in state.values()):
        raise UserError(f"weights {source} are no state_dict: tensors by name")
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    known = ((name, item) for name, item in state.items() if name in wanted or not str(name).startswith("fc."))
    found = {name: tuple(item.shape) for name, item in known}
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}  # absent from files before 2018
    differences = [
        f"{name} is {found.get(name, 'absent')} and not {wanted.get(name, 'there')}"
        for name in {**wanted, **found}
        if found.get(name) != wanted.get(name) and not (name in counters and name not in found)
    ]
    if differences:
        raise UserError(f"weights {source} are not those of a ResNet-18: {differences[0]} (of {len(differences)})")
    network.load_state_dict({name: state[name] for name in found}, strict=False)


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
