"""The two synthetic suites show what they are there to show."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.train import run

SEEDS = 5


def final_runs(suite: str, method: str, seeds: int) -> list[Record]:
    (arm,) = make_plan(Options(suite, methods=(method,), seeds=seeds))
    return [run(spec) for spec in arm.finals({})]


def test_illustrative_learns_to_ignore_the_harmful_task_and_comes_nearer_to_the_solution():
    distance, share = {}, []
    for method in ("stl", "equal", "auxilearn-linear"):
        records = final_runs("illustrative", method, SEEDS)
        distance[method] = torch.tensor([record.test["distance"] for record in records])
        if method == "auxilearn-linear":
            weights = torch.tensor([record.epochs[-1]["weight"] for record in records])
            share = (weights[:, 2] / weights.sum(1)).tolist()
    assert (distance["auxilearn-linear"] < distance["equal"] / 2).all()
    assert distance["auxilearn-linear"].mean() < distance["stl"].mean()
    assert max(share) < 1 / 3 / 2  # it started at a third
    assert sum(share) / SEEDS < 0.05
    assert 0.0 in share


def test_noisy_auxiliaries_weigh_less_the_noisier_they_are_and_the_noisiest_nothing():
    for record in final_runs("noisy-auxiliaries", "auxilearn-linear", 2):
        auxiliaries = record.epochs[-1]["weight"][1:]
        noise = pd.Series(range(len(auxiliaries)))
        assert noise.corr(pd.Series(auxiliaries), method="spearman") <= -0.9
        assert auxiliaries[-10:] == [0.0] * 10
        assert min(auxiliaries[:30]) > 0


@pytest.mark.parametrize(("suite", "name"), [("illustrative", "loss_surface"), ("noisy-auxiliaries", "weights")])
def test_figures_are_drawn_from_records(suite: str, name: str, tmp_path):
    (arm,) = make_plan(Options(suite, methods=("auxilearn-linear",), seeds=1, epochs=1))
    record = run(arm.finals({})[0])
    figures = arm.suite.figures([record])
    assert list(figures) == [name]
    figures[name].savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert arm.suite.figures([]) == {}


def test_loss_surface_shows_the_minimum_that_training_finds():
    (arm,) = make_plan(Options("illustrative", methods=("auxilearn-linear",), seeds=1))
    record = run(arm.finals({})[0])
    panels = arm.suite.figures([record])["loss_surface"].axes
    minimum = torch.tensor(np.asarray(panels[2].lines[0].get_xydata())[0])  # on a grid of 0.02
    main_minimum = torch.tensor(np.asarray(panels[0].lines[0].get_xydata())[0])
    distance = (minimum - 1).norm().item()
    assert distance == pytest.approx(record.test["distance"], abs=0.03)
    assert not torch.equal(minimum, main_minimum)
