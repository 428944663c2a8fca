"""Within an epoch the host never waits for the device, but for methods that say so.

On "meta", a device without data: whatever the host needs to know of a tensor there is an error.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import baselines
from auxilearn import Method
from benchmark import train as training
from benchmark.data import Batch, Shuffler
from benchmark.metrics import accuracy
from tests.benchmark.helpers import Toy
from tests.benchmark.waiting import META, Generated, NoWaiting, Pictures, Waited, train

SUITES = {"vectors": Toy, "pictures": Pictures, "generated": Generated}
PAIRS = [
    (suite, name)
    for suite, make in SUITES.items()
    for name in baselines.names()
    if baselines.load(name).declines(make().problem("few", 0)) is None
]
WAITING = {"aligned-mtl", "auxinash", "cagrad", "imtl-g", "mgda", "nash-mtl", "pcgrad"}
"""All solve for their weights on the host, from the inner products of gradients: torchjd's solvers are there."""

WAITS = (Waited, RuntimeError, NotImplementedError)


def test_the_methods_that_wait_say_so() -> None:
    assert {name for name in baselines.names() if baselines.load(name).waits} == WAITING


@pytest.mark.parametrize(("suite", "method"), PAIRS)
def test_no_step_waits(suite: str, method: str) -> None:
    if not baselines.load(method).waits:
        train(SUITES[suite](), method, META)
        return
    with pytest.raises(WAITS, match="meta"):  # or else it should not say so
        train(SUITES[suite](), method, META)


def held_back(losses: Tensor) -> Tensor:
    return losses.mean() * min(1.0, float(losses.detach().mean()))


def masked(losses: Tensor) -> Tensor:
    return losses[losses > 0].mean()


def copied(losses: Tensor) -> Tensor:
    return (torch.ones(losses.shape[1]).to(losses.device) * losses).mean()


@pytest.mark.parametrize("combine", [held_back, masked, copied])
def test_waiting_is_found(combine: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    class Waits(Method):
        def combine(self, losses: Tensor) -> Tensor:
            return combine(losses)

    monkeypatch.setattr(training, "build_method", lambda name, problem, hyper, seed: Waits(problem))
    with pytest.raises(WAITS):
        train(Toy(), "equal", META)


def test_what_comes_from_the_host_is_found() -> None:
    there = torch.ones(3, device=META)
    with NoWaiting():
        there.copy_(torch.ones(3), non_blocking=True)
        for waits in (
            lambda: there.copy_(torch.ones(3)),
            lambda: there[torch.tensor([0, 1])],
            lambda: there.__setitem__(there > 0, there),
        ):
            with pytest.raises(Waited):
                waits()


def test_an_epoch_of_batches_and_an_evaluation_do_not_wait_before_their_end() -> None:
    data = Pictures().data("few", 0).to(META)
    with NoWaiting():
        for index in Shuffler(data.train, 8, torch.Generator()).epoch():
            batch = data.at(index)
            assert batch.inputs.shape == (8, 3, 4, 4)
            assert {part.device for part in (batch.inputs, *batch.targets)} == {META}
        labels = (torch.zeros(100, 1, dtype=torch.long),)
        batches = [Batch(part.inputs, labels) for part in data.chunks(data.validation, size=10)]
        assert [batch.inputs.device for batch in batches] == [META] * 3


def test_accuracy_asks_the_device_once() -> None:
    asked = []

    class Counted(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket.__name__ in ("_local_scalar_dense", "_to_copy", "nonzero"):
                asked.append(func)
            return func(*args, **(kwargs or {}))

    class Same(torch.nn.Module):
        def forward(self, inputs: Tensor) -> tuple[Tensor]:
            return (inputs,)

    batches = [Batch(torch.eye(3), (torch.arange(3)[:, None],)) for _ in range(5)]
    with Counted():
        assert accuracy(Same(), batches, classes=3, ks=(1, 2)) == {"top1": 1.0, "top2": 1.0}
    assert not asked
