"""Weights of ResNet-18: torchvision's own, those of a file, and one line for everything else."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet

from benchmark.errors import UserError
from benchmark.models.resnet import resnet18


def loaded(trunk: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[name]) for name, value in trunk.state_dict().items())


@pytest.mark.parametrize("classifier", [True, False])
@pytest.mark.parametrize("old", [True, False], ids=["without counters", "with counters"])
def test_weights_come_from_a_file(tmp_path: Path, state: dict[str, Tensor], classifier: bool, old: bool) -> None:
    path = tmp_path / "weights.pt"
    kept = {name: value for name, value in state.items() if not (old and name.endswith("num_batches_tracked"))}
    torch.save(kept, path)
    trunk, _ = resnet18(weights=path, classifier=classifier)
    assert loaded(trunk, state)
    assert loaded(resnet18(weights=str(path), classifier=classifier)[0], state)


def test_a_trunks_own_weights_do_but_not_for_the_whole_network(tmp_path: Path, state: dict[str, Tensor]) -> None:
    path = tmp_path / "trunk.pt"
    torch.save({name: value for name, value in state.items() if not name.startswith("fc.")}, path)
    assert loaded(resnet18(weights=path)[0], state)
    with pytest.raises(UserError, match=r"fc\.weight is absent and not \(1000, 512\) \(of 2\)"):
        resnet18(weights=path, classifier=True)


def wrong_shape(state: dict[str, Tensor]) -> object:
    return {**state, "layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}


def missing(state: dict[str, Tensor]) -> object:
    return {name: value for name, value in state.items() if name != "bn1.running_mean"}


WRONG = {
    "shape": (wrong_shape, r"layer1\.0\.conv1\.weight is \(64, 64, 1, 1\) and not \(64, 64, 3, 3\) \(of 1\)"),
    "missing": (missing, r"bn1\.running_mean is absent and not \(64,\) \(of 1\)"),
    "unexpected": (lambda state: {**state, "head.bias": torch.zeros(1)}, r"head\.bias is \(1,\) and not there"),
    "prefix": (lambda state: {f"module.{n}": v for n, v in state.items()}, r"conv1\.weight is absent"),
    "wrapped": (lambda state: {"state_dict": state, "epoch": 3}, "no state_dict"),
    "list": (lambda state: list(state.values()), "no state_dict"),
    "number": (lambda _: {1: torch.zeros(1)}, "not those of a ResNet-18"),
}


@pytest.mark.parametrize(("change", "told"), WRONG.values(), ids=WRONG)
def test_other_weights_are_refused_in_one_line(
    tmp_path: Path, state: dict[str, Tensor], change: Callable[[dict[str, Tensor]], object], told: str
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(change(state), path)
    with pytest.raises(UserError, match=told) as caught:
        resnet18(weights=path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


class Foreign:
    """Something that acts when an unsafe reader builds it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.trace,)


def test_reading_weights_runs_no_code(tmp_path: Path) -> None:
    path, trace = tmp_path / "weights.pt", tmp_path / "trace"
    torch.save({"conv1.weight": Foreign(trace)}, path)
    with pytest.raises(UserError, match="cannot read weights from"):
        resnet18(weights=path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [None, b"", b"hello", b"\x80\x02garbage", b"PK\x03\x04 cut short"])
def test_unreadable_weights_are_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot read weights from") as caught:
        resnet18(weights=path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_imagenet_weights_are_those_of_torchvisions_own_place(hub: Path, state: dict[str, Tensor]) -> None:
    torch.save(state, hub)
    assert loaded(resnet18(weights="imagenet")[0], state)


@pytest.mark.parametrize("content", [None, b"<html>not found</html>"], ids=["absent", "broken"])
def test_without_imagenet_weights_one_line_says_which_file_goes_where(hub: Path, content: bytes | None) -> None:
    if content is not None:
        hub.write_bytes(content)
    with pytest.raises(UserError) as caught:
        resnet18(weights="imagenet")
    told = str(caught.value)
    assert resnet.ResNet18_Weights.IMAGENET1K_V1.url in told
    assert str(hub) in told
    assert "\n" not in told
    assert ("no route to host" in told) == (content is None)


def test_weights_do_not_change_what_is_drawn_after_them(hub: Path, state: dict[str, Tensor]) -> None:
    torch.save(state, hub)

    def drawn(weights: str) -> Tensor:
        torch.manual_seed(0)
        resnet18(weights=weights)
        return torch.rand(3)

    assert torch.equal(drawn("imagenet"), drawn("none"))
