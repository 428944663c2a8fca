"""results/README.md, the two regressions whose solution is known."""

import re
from collections.abc import Mapping
from statistics import fmean, median

import pytest
import torch

from benchmark.explanations.directions import FILE, METHODS, NUDGE, Directions
from benchmark.findings.regressions import ILLUSTRATIVE, LEARNT, NOISY, RATES
from benchmark.findings.runs import RESULTS, final_runs, listed, succeeded
from benchmark.record import Record
from benchmark.speed.rows import read
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


def again() -> Mapping[str, list[Directions]]:
    """Return the final runs that were trained again with the lengths of their directions noted, by method."""
    found = read(RESULTS / FILE, Directions)
    return {name: [run for run in found if run.method == name] for name in METHODS}


def ends(method: str) -> dict[int, float]:
    """Return the distance of each final run of the table, by seed."""
    return {record.spec.seed: float(record.test["distance"]) for record in runs(ILLUSTRATIVE.name)[method]}


def test_a_millionth_decides_where_imtl_g_ends() -> None:
    own = again()["imtl-g"]
    assert round(sum(run.steps for run in own) / sum(run.beyond for run in own), -2) == 200
    long = "One step in two hundred of `imtl-g` has a long direction, and where a run ends hangs on that millionth"
    assert long in SAID
    assert pytest.approx(1e-6) == NUDGE
    assert "again from a start that is off by a millionth" in SAID
    moved = median(abs(run.nudged - run.distance) for run in own)
    (machine,) = {run.device for run in own}
    assert machine not in {record.environment["device"] for record in runs(ILLUSTRATIVE.name)["imtl-g"]}
    nudged, plain = fmean(run.nudged for run in own), fmean(run.distance for run in own)
    means = f"the mean over the runs is {nudged:.2f} with the nudge and {plain:.2f} without"
    table = f"where the table, of another kind of machine, has {fmean(ends('imtl-g').values()):.2f}"
    assert f"the distance of the median run changes by {moved:.2f}, and {means}, {table}" in SAID


def test_the_other_rules_on_inner_products_end_where_they_ended() -> None:
    others = {name: found for name, found in again().items() if name != "imtl-g"}
    assert not any(run.beyond for found in others.values() for run in found)
    assert max(abs(run.nudged - run.distance) for found in others.values() for run in found) < 0.0005
    within = max(abs(run.distance - ends(name)[run.seed]) for name, found in others.items() for run in found)
    assert (
        f"The other {SPELLED[len(others)]} end where they ended, on the other machine to within {within:.4f}." in SAID
    )
    assert f"Final runs of {SPELLED[len(METHODS)]} methods whose direction is a rule on inner products" in SAID


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
