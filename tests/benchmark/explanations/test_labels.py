"""What training makes of generated labels: bits by closed forms, and runs that change nothing."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auxilearn.method import Batch, task_means, trainable
from benchmark.errors import UserError
from benchmark.explanations import labels
from benchmark.explanations.labels import (
    FILE,
    TRAINED,
    Labels,
    Trained,
    bits,
    command,
    labels_of,
    measured,
)
from benchmark.explanations.look_ahead import AsLong, LookAhead
from benchmark.places import Places
from benchmark.plan import Options, arms_of
from benchmark.plugins import load_suite
from benchmark.spec import Spec
from benchmark.speed import rows
from benchmark.suite import Suite
from benchmark.train import Training
from tests.benchmark.made_up import WHERE, a_run, commit


def a_suite_and_spec(folder: Path, fixed: Mapping[str, str] = {}, *, epochs: int = 1) -> tuple[Suite, Spec]:
    """Return MNIST's sample and a final run of MAXL on it."""
    places = Places(cache_dir=folder, sample=True)
    suite = load_suite("mnist", places)
    options = Options(
        "mnist", settings=("5%",), methods=("maxl",), seeds=1, epochs=epochs, fixed=dict(fixed), places=places
    )
    (arm,) = arms_of(suite, options)
    return suite, arm.finals(arm.points()[0])[0]


@given(classes=st.integers(1, 4), subclasses=st.integers(1, 5), repeats=st.integers(1, 3))
def test_hard_labels_of_all_subclasses_alike_say_their_logarithm(classes: int, subclasses: int, repeats: int) -> None:
    labels = torch.eye(classes * subclasses).repeat(repeats, 1)
    owners = torch.arange(classes).repeat_interleave(subclasses).repeat(repeats)
    assert bits(labels, owners) == pytest.approx(math.log2(subclasses), abs=1e-5)


@given(weights=st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4).filter(lambda found: sum(found) > 0.1))
def test_one_label_for_all_samples_of_a_class_says_nothing(weights: list[float]) -> None:
    label = torch.tensor(weights) / sum(weights)
    assert bits(torch.stack([label, label, label.flip(0)]), torch.tensor([0, 0, 1])) == pytest.approx(0, abs=1e-5)


def test_bits_are_the_mean_divergence_of_a_label_from_that_of_its_class() -> None:
    labels = torch.rand(12, 5, generator=torch.Generator().manual_seed(0)).softmax(1)
    classes = torch.tensor([0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 5])  # of unequal sizes, and classes without samples
    expected = 0.0
    for label, own in zip(labels, classes, strict=True):
        mean = labels[classes == own].mean(0)
        expected += float((label * (label / mean).log2()).sum()) / len(labels)
    assert bits(labels, classes) == pytest.approx(expected, abs=1e-5)


def test_labels_are_of_all_training_samples_and_of_their_own_class(tmp_path: Path) -> None:
    suite, spec = a_suite_and_spec(tmp_path)
    training = Training(suite, spec, torch.device("cpu"))
    labels, classes = labels_of(training)
    assert len(labels) == len(classes) == len(training.data.train) + len(training.data.auxiliary)
    own = labels.unflatten(1, (-1, 5)).sum(2)
    torch.testing.assert_close(own, torch.nn.functional.one_hot(classes, own.shape[1]).float())


def test_without_entropy_and_looking_ahead_nothing_moves_labels(tmp_path: Path) -> None:
    quiet = {"entropy_weight": "0", "generator_weight_decay": "0", "generator_lr": "1"}
    still = measured(*a_suite_and_spec(tmp_path, quiet), Trained("mnist", "maxl", look_ahead="none"))
    assert (still.moved, still.changed) == (0, 0)
    assert still.bits_after == still.bits_before > 0
    assert 0.2 < still.largest_after == still.largest_before < 1
    assert measured(*a_suite_and_spec(tmp_path, quiet), Trained("mnist", "maxl")).moved > 0


def test_entropy_alone_moves_labels(tmp_path: Path) -> None:
    loud = {"entropy_weight": "5", "generator_weight_decay": "0", "generator_lr": "1"}
    found = measured(*a_suite_and_spec(tmp_path, loud), Trained("mnist", "maxl", look_ahead="none"))
    assert found.moved > 0
    assert found.seed == 1


def test_a_look_ahead_is_as_long_as_the_step_before_it(tmp_path: Path) -> None:
    suite, spec = a_suite_and_spec(tmp_path, {"lr": "0.01"})
    training = Training(suite, spec, torch.device("cpu"))
    method: Any = training.method
    params = dict(trainable(method.problem.model))
    rate, lengths = AsLong(method), []

    def outer_step(train: Batch, held_out: Batch, lr: float) -> None:
        place = {name: value.detach().clone() for name, value in params.items()}
        found = rate(train)
        losses = method.problem.losses(train, params, method.targets(train).detach())
        method.problem.model.zero_grad()
        task_means(losses).sum().backward()
        gradients = [value.grad for value in params.values() if value.grad is not None]
        ahead = found * float(torch.cat([part.flatten() for part in gradients]).norm())
        moved = float(torch.cat([(value - before[name]).flatten() for name, value in place.items()]).norm())
        lengths.append((ahead, moved))
        before.update(place)

    before = {name: value.detach().clone() for name, value in params.items()}
    vars(method)["outer_step"] = outer_step
    training.advance(4)
    assert lengths[0] == (0, 0)
    assert all(ahead == pytest.approx(moved, rel=1e-3) and moved > 0 for ahead, moved in lengths[1:])


def test_a_longer_look_ahead_says_more_of_the_main_task(tmp_path: Path) -> None:
    only = {"entropy_weight": "0", "generator_weight_decay": "0", "generator_lr": "0.01", "lr": "0.001"}
    short, long = (
        measured(*a_suite_and_spec(tmp_path, only, epochs=4), Trained("mnist", "maxl", look_ahead=look_ahead))
        for look_ahead in get_args(LookAhead)
        if look_ahead != "none"
    )
    assert long.moved > 2 * short.moved > 0


def test_runs_are_told_from_others_of_their_folder(tmp_path: Path) -> None:
    runs = [
        a_run("auxilearn", seed, {"top1": 0.5}, suite="mnist", setting=setting, phase=phase, hyper={"mode": mode})
        for seed, setting, phase, mode in (
            (1, "5%", "final", "paper"),
            (2, "5%", "final", "corrected"),
            (3, "10%", "final", "corrected"),
            (0, "5%", "search", "corrected"),
        )
    ]
    commit(tmp_path / "curvature" / "mnist", runs)
    trained = Trained("mnist", "auxilearn", "corrected", "curvature", {"mode": "corrected"})
    assert [run.spec.seed for run in trained.runs(tmp_path)] == [2]
    assert trained.name == "auxilearn, corrected"
    with pytest.raises(UserError, match="reference/mnist has no final run of maxl in 5%"):
        Trained("mnist", "maxl").runs(tmp_path)


def commit_final_runs(folder: Path) -> None:
    """Write two final runs of all that is trained again."""
    for each in TRAINED:
        if each.look_ahead == "own":  # else the runs are those of another one
            hyper = {"lr": 0.1, **each.hyper}
            runs = [
                a_run(each.method, seed, {"top1": 0.5}, suite=each.suite, setting="5%", hyper=hyper) for seed in (1, 2)
            ]
            commit(folder / each.folder / each.suite, runs)


def test_what_is_measured_is_not_measured_again_by_this_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_final_runs(tmp_path)
    about = WHERE | {"commit": "one"}
    seen: list[tuple[str, int]] = []

    def noted(suite: object, spec: Spec, trained: Trained) -> Labels:
        seen.append((trained.name, spec.seed))
        return Labels("mnist", trained.name, spec.seed, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, **about)

    monkeypatch.setattr(labels, "measured", noted)
    monkeypatch.setattr(labels, "origin", lambda device: about)
    monkeypatch.setattr(labels, "load_suite", lambda *_: SimpleNamespace(fingerprint=lambda: "data", threads=1))
    every = [(each.name, seed) for each in TRAINED if each.suite == "mnist" for seed in (1, 2)]
    command("mnist", tmp_path, tmp_path)
    assert seen == every
    kept = [row for row in rows.read(tmp_path / FILE, Labels) if row.key != ("mnist", *every[1])]
    rows.write(tmp_path / FILE, kept, Labels)
    command("mnist", tmp_path, tmp_path)
    assert seen == [*every, every[1]]
    for other in ("two", "two+", "two+"):
        about["commit"] = other
        seen.clear()
        command("mnist", tmp_path, tmp_path)
        assert seen == every


def test_other_data_are_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_final_runs(tmp_path)
    monkeypatch.setattr(labels, "load_suite", lambda *_: SimpleNamespace(fingerprint=lambda: "other", threads=1))
    with pytest.raises(UserError, match="are other, those of the runs of maxl data"):
        command("mnist", tmp_path, tmp_path)
    with pytest.raises(UserError, match="unknown suite 'digits'"):
        command("digits", tmp_path, tmp_path)
