"""What is kept stays as it was, what is learned takes its own steps, and validation chooses the rate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark.errors import UserError
from benchmark.explanations import parts
from benchmark.explanations.labels import labels_of
from benchmark.explanations.parts import (
    FILE,
    Measure,
    Part,
    Run,
    best,
    command,
    keep,
    measured,
    rate_of,
    specs_of,
    with_rate,
)
from benchmark.places import Places
from benchmark.plan import Options, arms_of
from benchmark.plugins import load_suite
from benchmark.spec import Spec
from benchmark.speed import rows
from benchmark.speed.measurement import CPU
from benchmark.suite import Suite
from benchmark.train import Diverged, Row, Training, Visit
from tests.benchmark.made_up import WHERE, a_run, commit

SUITE = "cifar10-convnet"


def a_suite_and_spec(folder: Path) -> tuple[Suite, Spec]:
    """Return the sample of CIFAR-10 and a final run of AuxiLearn on it with large steps of what it learns."""
    places = Places(cache_dir=folder, sample=True)
    suite = load_suite(SUITE, places)
    fixed = {"outer_every": "1", "auxiliary_lr": "0.1", "auxiliary_weight_decay": "0"}
    options = Options(SUITE, settings=("5%",), methods=("auxilearn",), seeds=1, epochs=1, fixed=fixed, places=places)
    (arm,) = arms_of(suite, options)
    return suite, arm.finals(arm.points()[0])[0]


def phi_of(training: Training) -> dict[str, list[Tensor]]:
    """Return the parameters of combiner and generator."""
    method: Any = training.method
    own = {"weights": method.combiner, "labels": method.generator}
    return {part: [value.detach().clone() for value in module.parameters()] for part, module in own.items()}


def moved(before: list[Tensor], after: list[Tensor]) -> bool:
    return any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(("learnt", "kept"), [("weights", "labels"), ("labels", "weights")])
def test_one_part_is_learned_and_the_other_stays(
    learnt: Part, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[dict[str, list[Tensor]], Tensor]] = []

    class Noted(Training):
        def finish(self, visit: Visit | None = None) -> Row:
            seen.append((phi_of(self), labels_of(self)[0]))
            row = super().finish(visit)
            seen.append((phi_of(self), labels_of(self)[0]))
            return row

    monkeypatch.setattr(parts, "Training", Noted)
    suite, spec = a_suite_and_spec(tmp_path)
    found = measured(suite, spec, learnt, WHERE)
    (before, labels_before), (after, labels_after) = seen
    assert moved(before[learnt], after[learnt])
    assert not moved(before[kept], after[kept])
    assert torch.equal(labels_before, labels_after) == (kept == "labels")
    assert ((found.main_weight, found.auxiliary_weight) == (1, 1)) == (kept == "weights")
    assert (found.learnt, found.phase, found.seed, found.suite) == (learnt, "final", 1, SUITE)
    assert found.top1 is not None
    assert measured(suite, replace(spec, phase="search"), learnt, WHERE).top1 is None


@pytest.mark.parametrize("kept", ["weights", "labels"])
def test_what_is_learned_takes_the_step_that_it_takes_anyway(kept: str, tmp_path: Path) -> None:
    suite, spec = a_suite_and_spec(tmp_path)
    whole, part = (Training(suite, spec, CPU) for _ in range(2))
    method: Any = part.method
    keep(method, method.combiner if kept == "weights" else method.generator)
    start = phi_of(part)
    for training in (whole, part):
        training.advance(1)
    (other,) = {"weights", "labels"} - {kept}
    assert moved(start[other], phi_of(part)[other])
    assert not moved(phi_of(whole)[other], phi_of(part)[other])
    assert moved(phi_of(whole)[kept], phi_of(part)[kept])


def committed(folder: Path) -> None:
    """Write a search over two rates and two values of another hyper-parameter, and final runs with one of each."""
    own: dict[str, Any] = {"suite": SUITE, "setting": "5%"}
    runs = [
        a_run("auxilearn", 0, {"top1": 0.5}, phase="search", hyper={"lr": lr, "auxiliary_lr": outer}, **own)
        for lr in (0.1, 0.01)
        for outer in (0.01, 0.001)
    ]
    runs += [
        a_run("auxilearn", seed, {"top1": 0.5}, hyper={"lr": 0.01, "auxiliary_lr": 0.001}, **own) for seed in (2, 1)
    ]
    runs.append(a_run("maxl-f", 1, {"top1": 0.5}, hyper={"lr": 0.01}, **own))
    runs.append(a_run("auxilearn", 3, {"top1": 0.5}, hyper={"lr": 0.1}, suite=SUITE, setting="10%"))
    commit(folder / "rates" / SUITE, runs)


def test_the_search_has_each_rate_once_with_all_else_as_chosen(tmp_path: Path) -> None:
    committed(tmp_path)
    searches, finals = specs_of(tmp_path, SUITE)
    assert [dict(spec.hyper) for spec in searches] == [{"lr": lr, "auxiliary_lr": 0.001} for lr in (0.01, 0.1)]
    assert [(spec.seed, spec.phase) for spec in finals] == [(1, "final"), (2, "final")]
    assert with_rate(finals[0], 0.01) == finals[0]
    assert dict(with_rate(finals[0], 0.1).hyper) == {"lr": 0.1, "auxiliary_lr": 0.001}
    with pytest.raises(UserError, match="rates/cifar100-convnet has no final run of auxilearn in 5%"):
        specs_of(tmp_path, "cifar100-convnet")
    more = a_run("auxilearn", 1, {"top1": 0.5}, hyper={"lr": 0.1, "auxiliary_lr": 0.001}, suite=SUITE, setting="5%")
    commit(tmp_path / "rates" / SUITE, [more])
    with pytest.raises(UserError, match="that differ in more than the seed"):
        specs_of(tmp_path, SUITE)


def a_row(spec: Spec, part: str, validation: float) -> Run:
    top1 = 0.5 if spec.phase == "final" else None
    return Run(spec.suite, part, spec.phase, spec.seed, rate_of(spec), validation, top1, 1.0, 1.0, **WHERE)


def test_validation_prefers_and_among_equals_the_least_rate(tmp_path: Path) -> None:
    committed(tmp_path)
    low, high = specs_of(tmp_path, SUITE)[0]
    assert best([a_row(low, "labels", 0.4), a_row(high, "labels", 0.5)]).lr == 0.1
    assert best([a_row(high, "labels", 0.5), a_row(low, "labels", 0.5)]).lr == 0.01
    failed = replace(a_row(low, "labels", 0.5), validation=None)
    assert best([failed, a_row(high, "labels", 0.1)]).lr == 0.1
    with pytest.raises(UserError, match="all runs of the search diverged"):
        best([failed])


def test_a_run_that_diverges_is_a_row_without_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(training: Training, visit: Visit | None = None) -> Row:
        raise Diverged("too far")

    monkeypatch.setattr(Training, "finish", diverge)
    suite, spec = a_suite_and_spec(tmp_path)
    found = measured(suite, spec, "labels", WHERE)
    assert (found.validation, found.top1, found.main_weight, found.auxiliary_weight) == (None,) * 4
    rows.write(tmp_path / FILE, [found], Run)
    assert rows.read(tmp_path / FILE, Run) == [found]


def test_processes_measure_as_this_one_does_and_tell_failures(tmp_path: Path) -> None:
    suite, spec = a_suite_and_spec(tmp_path)
    wrong = replace(spec, suite="no-such-suite")
    with parts.measuring(Places(cache_dir=tmp_path, sample=True), 1, WHERE) as measure:
        made = list(measure([spec], "weights"))
        failing = measure([wrong, spec, spec, spec], "weights")
        with pytest.raises(UserError, match="suite 'no-such-suite' cannot be loaded"):
            next(failing)
    assert made == [measured(suite, spec, "weights", WHERE)]


def test_a_final_run_with_another_rate_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    committed(tmp_path)
    final = specs_of(tmp_path, SUITE)[1][0]
    old, new = (a_row(with_rate(final, lr), "labels", 0.5) for lr in (0.01, 0.1))
    assert rows.write(tmp_path / FILE, [old, new], Run) == [new]


def test_the_rate_that_validation_prefers_is_repeated_and_nothing_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(tmp_path)
    made: list[tuple[str, str, float, int]] = []
    preferred = {"weights": 0.1, "labels": 0.01}

    @contextmanager
    def measuring(places: Places, workers: int, about: object) -> Iterator[Measure]:
        def measure(specs: Sequence[Spec], part: Part) -> Iterator[Run]:
            for spec in specs:
                made.append((part, spec.phase, rate_of(spec), spec.seed))
                yield a_row(spec, part, 0.5 if rate_of(spec) == preferred[part] else 0.25)

        yield measure

    monkeypatch.setattr(parts, "measuring", measuring)
    monkeypatch.setattr(parts, "origin", lambda device: WHERE)
    monkeypatch.setattr(parts, "load_suite", lambda *_: SimpleNamespace(fingerprint=lambda: "data", threads=1))
    for _ in range(2):
        command(SUITE, learn="weights,labels", workers=1, results_dir=tmp_path)
        assert made == [
            *(("weights", "search", lr, 0) for lr in (0.01, 0.1)),
            *(("weights", "final", 0.1, seed) for seed in (1, 2)),
            *(("labels", "search", lr, 0) for lr in (0.01, 0.1)),
            *(("labels", "final", 0.01, seed) for seed in (1, 2)),
        ]
    assert len(rows.read(tmp_path / FILE, Run)) == len(made)
    monkeypatch.setattr(parts, "origin", lambda device: WHERE | {"commit": "abc+"})
    command(SUITE, learn="labels", workers=1, results_dir=tmp_path)
    assert len(made) == 12


@pytest.mark.parametrize(
    ("suite", "learn", "told"),
    [
        ("mnist", "labels", "unknown suite 'mnist'; choose one of: cifar10-convnet, cifar100-convnet"),
        (SUITE, "lables", r"unknown part 'lables' \(did you mean labels\?\); choose one of: labels, weights"),
        (SUITE, "labels", "the data in data are others, those of the runs data"),
    ],
)
def test_mistakes_are_told_before_the_work(
    suite: str, learn: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(tmp_path)
    monkeypatch.setattr(parts, "load_suite", lambda *_: SimpleNamespace(fingerprint=lambda: "others"))
    with pytest.raises(UserError, match=told):
        command(suite, learn=learn, workers=1, results_dir=tmp_path)
