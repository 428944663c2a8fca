import ast
from pathlib import Path

import pytest
import torch

import auxilearn
import baselines
from baselines._torchjd import torchjd_weights

RULES = {
    "PCGradWeighting": {},
    "CAGradWeighting": {"c": 0.5},
    "IMTLGWeighting": {},
    "AlignedMTLWeighting": {"scale_mode": "rmse"},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_weights_do_not_depend_on_a_common_scale(rule: str, scale: float) -> None:
    gradients = torch.tensor([[1.0, 0.2, 0.0], [-0.5, 1.0, 0.3], [0.1, -2.0, 1.0]], dtype=torch.float64)
    found = []
    for factor in (1.0, scale):
        torch.manual_seed(3)
        found.append(torchjd_weights(rule, factor * gradients @ gradients.T, **RULES[rule]))
    assert found[0].any()
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6)


def test_one_file_imports_torchjd_and_that_late() -> None:
    late, early = set(), set()
    for path in [file for package in (auxilearn, baselines) for file in Path(package.__path__[0]).glob("*.py")]:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] == "torchjd" for name in names):
                (early if node in tree.body else late).add(path.name)
    assert not early, "listing the methods would take seconds"
    assert late == {"_torchjd.py"}
