"""ResNet-18 (He et al., CVPR 2016), torchvision's, as a trunk."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import UserError

IMAGENET = "f37072fd"
"""How the SHA-256 of torchvision's file begins; the file's name says it too."""

Stamp = tuple[int, int] | None


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
        _load(trunk, _state(weights), source=str(weights))
    return trunk, features


def identity(weights: str) -> str:
    """Return `none`, `imagenet`, or the first digits of the SHA-256 of a file, `imagenet` if it is torchvision's own.

    Raises:
        UserError: The file cannot be read.
    """
    if weights in ("none", "imagenet"):
        return weights
    digest = _digest(Path(weights), _stamp(Path(weights)))
    return "imagenet" if digest.startswith(IMAGENET) else digest[:12]


def _state(weights: str | Path) -> Any:
    """Return the tensors that `weights` stands for; a process reads a file once, unless the file changes."""
    if weights != "imagenet":
        return _read(Path(weights), _stamp(Path(weights)))
    place = imagenet_place()
    return _imagenet(place, _stamp(place))


def imagenet_place() -> Path:
    """Return the file in which torchvision's weights are, once they are downloaded."""
    from torchvision.models import ResNet18_Weights

    return Path(torch.hub.get_dir()) / "checkpoints" / Path(ResNet18_Weights.IMAGENET1K_V1.url).name


def _stamp(path: Path) -> Stamp:
    """Return length and time of a file, None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


@lru_cache(maxsize=1)
def _imagenet(place: Path, stamp: Stamp) -> Any:
    from torchvision.models import ResNet18_Weights

    weights = ResNet18_Weights.IMAGENET1K_V1
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # of the network, the disk or the file, whatever that holds
        raise UserError(
            f"there are no ImageNet weights: {_line(error)}; get {weights.url}, put it at {place}, "
            "or choose as weights none or a file"
        ) from error


@lru_cache(maxsize=1)
def _read(path: Path, stamp: Stamp) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of the disk or the file, whatever that holds
        raise _unreadable(path, error) from error


@lru_cache(maxsize=1)
def _digest(path: Path, stamp: Stamp) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UserError:
    choices = "choose none, imagenet, or a file with the state_dict of a ResNet-18"
    return UserError(f"cannot read weights from {path}: {_line(error)}; {choices}")


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
    text = (str(error) or type(error).__name__).splitlines()[0]
    return text if " " in text else f"{type(error).__name__} {text}"  # a word alone, such as a key, tells nothing
