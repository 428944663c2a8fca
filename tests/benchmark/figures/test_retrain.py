"""Figures of runs that are trained again: the recorded bits, closed forms of what is drawn, refusals in one line."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from auxilearn import LinearCombiner
from benchmark.commands import run_app
from benchmark.data import Batch, Data
from benchmark.errors import UserError
from benchmark.figures.__main__ import app
from benchmark.figures.embedding import embed
from benchmark.figures.retrain import chosen_record, differs, retrained
from benchmark.figures.sizes import auxiliary_sizes, resized
from benchmark.figures.surfaces import minimum, surface
from benchmark.figures.surrogate import combiner_points, fit, surrogates
from benchmark.plan import Options, make_plan
from benchmark.record import Record, Store
from benchmark.train import Training, run
from tests.benchmark.helpers import Toy, a_record, a_spec


def final(method: str, *, seed: int = 1) -> Record:
    """Return a final run of the toy suite."""
    (arm,) = make_plan(
        Options("toy", settings=("few",), methods=(method,), fixed={"lr": "0.1", "weight_decay": "0"}, seeds=seed)
    )
    return run(arm.finals(arm.points()[0] if arm.space else {})[seed - 1])


@pytest.fixture
def record(toy: Toy) -> Record:
    return final("auxilearn-nonlinear")


def test_a_run_trained_again_is_the_recorded_one_and_looking_at_it_moves_no_bit(record: Record) -> None:
    seen: list[int] = []

    def look(training: Training) -> None:
        seen.append(len(training.rows))
        modules = [*training.problem.model.modules(), *training.method.modules()]
        modes = [module.training for module in modules]
        combiner_points(training)
        assert all(module.training for module in training.method.modules())
        assert [module.training for module in modules] == modes

    again = retrained(record, whole=True, each_epoch=look)
    assert seen == [1, 2, 3]
    assert again.same
    assert "bit by bit" in again.note
    assert [row["loss"] for row in again.training.rows] == [row["loss"] for row in record.epochs]
    short = retrained(record)
    assert len(short.training.rows) == record.selected["epoch"]


def test_other_numbers_are_told(record: Record) -> None:
    less = [value / 1.2 for value in record.epochs[1]["loss"]]
    epochs = [record.epochs[0], {**record.epochs[1], "loss": less}, record.epochs[2]]
    again = retrained(replace(record, epochs=epochs), whole=True)
    assert not again.same
    assert "3 epochs: NOT the recorded numbers from epoch 2 on (loss apart by 0.2 of its size there)" in again.note
    elsewhere = replace(record, epochs=epochs, environment={**record.environment, "device": "an abacus"})
    assert (
        f"3 epochs, on {record.environment['device']} and not on an abacus: NOT"
        in retrained(elsewhere, whole=True).note
    )
    assert differs(record, again.training) is None


def test_other_data_are_refused(toy: Toy, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "fingerprint", lambda: "toy-2")
    with pytest.raises(UserError, match="the data here are toy-2, those of the record toy-1"):
        retrained(record)


def test_a_polynomial_is_found_again() -> None:
    draw = np.random.default_rng(0)
    losses = draw.uniform(0, 2, (200, 3))
    losses[:, 2] = 0.7
    middle = losses.mean(0)
    slope, curvature = np.array([1.5, -0.5, 0]), np.array([[0.3, 0.2, 0], [0.2, -0.4, 0], [0, 0, 0]])
    centred = losses - middle
    combined = 2 + centred @ slope + np.einsum("nj,jk,nk->n", centred, curvature, centred)
    found = fit(losses, combined)
    assert found.slope == pytest.approx([1.5, -0.5, np.nan], nan_ok=True)
    assert found.curvature == pytest.approx(curvature, abs=1e-9)
    assert found.explained == pytest.approx(1)


def test_the_surrogate_of_a_linear_combiner_is_its_weights() -> None:
    combiner = LinearCombiner(3)
    with torch.no_grad():
        combiner.layers[0].weight.copy_(torch.tensor([[0.5, 2.0, 0.25]]))  # type: ignore[operator]
    losses = torch.rand(100, 3, generator=torch.Generator().manual_seed(0))
    found = fit(losses.double().numpy(), combiner(losses).detach().double().numpy())
    assert found.slope == pytest.approx([1.5, 2.0, 0.25], abs=1e-5)
    assert found.curvature == pytest.approx(np.zeros((3, 3)), abs=1e-4)


def test_surrogates_are_drawn_for_every_epoch_and_refused_without_a_combiner(record: Record) -> None:
    figure, again = surrogates(record)
    assert again.same
    assert [len(line.get_xydata()) for line in figure.axes[0].lines] == [3, 3, 3]  # type: ignore[arg-type]
    with pytest.raises(UserError, match="'equal' has no combiner"):
        surrogates(final("equal"))


def test_an_auxiliary_set_of_another_size() -> None:
    labelled = torch.arange(20) % 2 == 0
    data = Data(Batch(torch.zeros(20, 1), ()), *torch.arange(20).split([10, 4, 3, 3]))
    made = {size: resized(data, size, labelled, torch.Generator().manual_seed(1)) for size in (1, 3, 4, 6, 8)}
    assert made[4] is data
    for size, found in made.items():
        assert len(found.auxiliary) == size
        assert set(found.train.tolist()) | set(found.auxiliary.tolist()) == set(range(14))
        assert not set(found.train.tolist()) & set(found.auxiliary.tolist())
        joined = set(found.auxiliary.tolist()) - {10, 11, 12, 13}
        assert all(labelled[index] for index in joined)
    sets = [set(found.auxiliary.tolist()) for found in made.values()]
    assert all(small < large for small, large in itertools.pairwise(sets))
    with pytest.raises(UserError, match="an auxiliary set of 9 cannot be made of 9 labelled samples; from 1 to 8"):
        resized(data, 9, labelled, torch.Generator())


def test_at_its_own_size_a_run_has_the_recorded_result(record: Record) -> None:
    figure, numbers = auxiliary_sizes([record], [5, 10])
    assert numbers["size"].tolist() == [5, 10]
    assert numbers["top1"].tolist()[1] == record.test["top1"]
    line = figure.axes[0].lines[0]
    assert np.asarray(line.get_ydata()) == pytest.approx(100 * numbers["top1"])


def test_places_in_the_plane_are_always_the_same_and_keep_groups_together() -> None:
    labels = np.repeat(np.eye(2), 20, axis=0) * 0.9 + np.random.default_rng(0).uniform(0, 0.05, (40, 2))
    places = embed(labels)
    assert np.array_equal(places, embed(labels))
    first, second = places[:20], places[20:]
    within = max(np.linalg.norm(part - part.mean(0), axis=1).mean() for part in (first, second))
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > 2 * within


def test_the_minimum_of_a_surface_is_where_it_is_lowest() -> None:
    draw = np.random.default_rng(0)
    inputs, targets, weights = draw.normal(size=(50, 2)), draw.normal(size=(50, 3)), np.array([1.0, 0.5, 3.0])
    line = np.linspace(-1, 1, 201)
    values = surface(inputs, targets, weights, line)
    row, column = np.unravel_index(values.argmin(), values.shape)
    assert minimum(inputs, targets, weights) == pytest.approx([line[column], line[row]], abs=0.006)
    slow = sum(w * np.mean((inputs @ [line[3], line[7]] - y) ** 2) for w, y in zip(weights, targets.T, strict=True))
    assert values[7, 3] == pytest.approx(slow / weights.sum())


def test_the_run_to_draw_is_the_first_settings_lowest_seed_of_the_best_validation(toy: Toy) -> None:
    def one(score: float, **changes: object) -> Record:
        return a_record(a_spec(phase="final", method="stl", **changes), score=score)

    low, high = one(0.4, seed=1), one(0.6, seed=1, hyper=(("lr", 0.2),))
    others = [one(0.9, seed=2), one(0.9, setting="many", seed=1)]
    where = {"where": "here", "hint": "run it"}
    assert chosen_record([*others[:1], low, high, others[1]], setting="", method="stl", seed=None, **where) is high
    assert chosen_record([low, *others], setting="many", method="stl", seed=None, **where) is others[1]
    with pytest.raises(UserError, match="no final run of 'gcs' of seed 7 in here; run it"):
        chosen_record([low], setting="", method="gcs", seed=7, **where)


def figures(*words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["figures", *words])
    status = run_app(app, "python -m benchmark.figures")
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_command_writes_a_figure_and_says_that_the_numbers_came_out(
    record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "toy").writing() as store:
        store.append(record)
    words = ("--suite", "toy", "--results-dir", str(tmp_path))
    status, out, _ = figures("surrogate", *words, capsys=capsys, monkeypatch=monkeypatch)
    assert status == 0
    assert "bit by bit" in out
    assert (tmp_path / "toy" / "surrogate.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "toy" / "surrogate.pdf").read_bytes().startswith(b"%PDF")
    for word, method, text in (
        ("pixel-weights", "auxilearn-nonlinear", "the losses of suite 'toy' are no images"),
        ("embedding", "auxilearn-nonlinear", "generates no labels"),
        ("surrogate", "gcs", "no final run of 'gcs' in"),
        ("pie", "gcs", "unknown figure 'pie'; choose one of: pixel-weights, surrogate, auxiliary-size, embedding"),
    ):
        status, _, err = figures(word, "--method", method, *words, capsys=capsys, monkeypatch=monkeypatch)
        assert status == 2
        assert text in err
        assert err.count("\n") == 1
    more = ("--method", "auxilearn-nonlinear", "--sizes", "5,x", *words)
    status, _, err = figures("auxiliary-size", *more, capsys=capsys, monkeypatch=monkeypatch)
    assert (status, err) == (2, "error: --sizes takes whole numbers by comma, not '5,x'\n")
