"""The example in the library's README runs as it is printed, and learns."""

import re
from pathlib import Path

import torch
from torch import nn

import auxilearn


def test_the_example_runs() -> None:
    text = (Path(auxilearn.__file__).parent / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    truth = torch.randn(4, 3)

    def loader(n: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        batches = (torch.randn(16, 4) for _ in range(n))
        return [(inputs, inputs @ truth) for inputs in batches]

    scope = {
        "model": nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)),
        "train_loader": loader(200),
        "auxiliary_loader": loader(2),
    }
    exec(example, scope)
    method, losses = scope["method"], scope["losses"]
    assert isinstance(method, auxilearn.AuxiLearn)
    assert isinstance(losses, torch.Tensor)
    assert float(losses.mean()) < 1.0
    assert float(method.diagnostics["hypergradient_norm"]) > 0
