"""The sentence on the nonlinear combiner's weights says what its records say."""

from pathlib import Path

from benchmark.findings.coarse import weights
from tests.benchmark.findings.made_up import a_run, commit


def test_largest_sums_and_runs_without_auxiliaries(tmp_path: Path) -> None:
    ends = ((1.0, 0.004, 0.004), (500.0, 300.0, 434.0), (1.0, 0.02, 0.0))
    made = [
        a_run("auxilearn-nonlinear", seed, {"top1": 0.1, "top3": 0.2}, suite="cifar100-coarse", weight=end)
        for seed, end in enumerate(ends, start=1)
    ]
    other = a_run("equal", 1, {"top1": 0.1, "top3": 0.2}, suite="cifar100-coarse", weight=(1e9, 0.0, 0.0))
    text = weights(commit(tmp_path / "cifar100-coarse", [*made, other]))
    assert "their sum, 3 tasks, reaches 1 to 1,234 within the 3 runs" in text
    assert "in 1 of them all auxiliary tasks together end below 1 % of it" in text
