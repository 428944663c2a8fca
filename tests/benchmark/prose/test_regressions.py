"""results/README.md, the two regressions whose solution is known."""

import re

import pytest
import torch

from benchmark.findings.regressions import ILLUSTRATIVE, LEARNT, NOISY, RATES
from benchmark.findings.runs import final_runs, listed, succeeded
from benchmark.record import Record
from benchmark.suites.noisy_auxiliaries import AUXILIARIES, NoisyAuxiliaries
from tests.benchmark.prose.page import SPELLED, section
from tests.benchmark.prose.scores import grid_size, less_one, rate, scores, searches, spearman

SAID = section("Two regressions whose solution is known")
DEEPER = ("auxilearn-deep-linear", "auxilearn-nonlinear")
TOLD_APART = -0.95
"""Spearman's correlation of weight and noise from which noise is told apart well."""


def runs(folder: str) -> dict[str, list[Record]]:
    """Return the successful final runs of each method."""
    found: dict[str, list[Record]] = {}
    for record in succeeded(final_runs(ILLUSTRATIVE.parent / folder)):
        found.setdefault(record.spec.method, []).append(record)
    return found


def test_seeds_and_tasks() -> None:
    found = runs(ILLUSTRATIVE.name)
    (seeds,) = {len(own) for own in found.values()}
    assert found["stl"][0].tasks[1:] == ("helpful", "harmful")
    assert f"A helpful and a harmful auxiliary task, {seeds} seeds." in SAID
    assert all(len(record.tasks) == 1 + AUXILIARIES for own in runs(NOISY.name).values() for record in own)
    assert AUXILIARIES == 100
    assert "A hundred auxiliary tasks of growing noise" in SAID
    inputs, (targets,) = NoisyAuxiliaries(NOISY.name).draw(1000, torch.Generator().manual_seed(0))
    noise = (targets - inputs * NoisyAuxiliaries.true_weight[0])[:, 1:].mean(0)
    assert 0 < float(noise[0]) < float(noise[-1])
    assert "whose mean is not zero, so that each pulls away from the solution" in SAID


@pytest.mark.parametrize("suite", [ILLUSTRATIVE.name, NOISY.name])
def test_every_method_had_its_own_grid(suite: str) -> None:
    assert "Every method with its own grid." in SAID
    for name in runs(suite):
        size = grid_size(suite, name)
        assert len(searches(f"reference/{suite}", name)) == (size if size > 1 else 0)


def test_rates_are_those_of_the_linear_combiner() -> None:
    own = runs(ILLUSTRATIVE.name)[LEARNT]
    (epochs,) = {len(record.epochs) for record in own}
    assert all(max(abs(weight - 1) for weight in record.epochs[-1]["weight"]) > 1 for record in own)
    assert f"the linear combiner, whose weights they move within {SPELLED[epochs]} epochs" in SAID


def test_deeper_combiners_diverge() -> None:
    found = [record for record in final_runs(ILLUSTRATIVE) if record.spec.method in DEEPER]
    assert {record.status for record in found} == {"diverged"}
    ends = [int(re.findall(r"in epoch (\d+) is not finite", record.reason)[0]) for record in found]
    sentence = f"All runs of the {SPELLED[len(DEEPER)]} deeper combiners diverge with them, within"
    assert f"{sentence} {SPELLED[max(ends)]} epochs" in SAID


def test_at_a_tenth_of_the_rate_they_end() -> None:
    small = [record for record in final_runs(RATES) if record.spec.method in DEEPER]
    ended = succeeded(small)
    (usual,) = {rate(record, "auxiliary_lr") for record in final_runs(ILLUSTRATIVE) if record.spec.method in DEEPER}
    assert {rate(record, "auxiliary_lr") for record in small} == {usual / 10}
    assert 0.9 * len(small) <= len(ended) < len(small)
    assert "With a tenth of the rate of the combiner's step nearly all end" in SAID


def test_nothing_is_nearer_than_the_single_task_where_auxiliaries_are_noisy() -> None:
    distances = {name: scores(own, "distance") for name, own in runs(NOISY.name).items()}
    found = less_one(distances, "stl")
    assert not any(each.significant and each.points < 0 for each in found.values())
    assert "Nothing is significantly nearer than the single task" in SAID
    near = sorted(name for name, each in found.items() if not each.significant)
    assert f"{SPELLED[len(near)]} methods that look at gradients, {listed(near)}, are as near" in SAID
    assert found[LEARNT].significant
    assert found[LEARNT].points > 0
    assert "the auxiliaries still hold its solution away when training ends" in SAID


def test_the_linear_combiner_tells_the_noise_apart() -> None:
    for record in runs(NOISY.name)[LEARNT]:
        weights = record.epochs[-1]["weight"][1:]
        assert spearman(range(len(weights)), weights) < TOLD_APART
    assert "The linear combiner tells the noise apart well" in SAID
