"""One run: the same bits again, paired with other methods, blind to the test set, never a stop for others."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import baselines
from auxilearn import Method
from benchmark import train
from benchmark.record import Record
from benchmark.suite import Metric
from benchmark.train import Training, run
from tests.benchmark.helpers import Toy, a_spec, measured, numbers

TRAIN, AUXILIARY = set(range(30)), set(range(30, 40))
VALIDATION, TEST = list(range(40, 70)), list(range(70, 100))


def served() -> list[str]:
    """Return the methods that the toy suite can serve."""
    problem = Toy().problem("few", 0)
    return [name for name in baselines.names() if baselines.load(name).declines(problem) is None]


EVERY_METHOD = pytest.mark.parametrize("method", served())


def result(**changes: Any) -> dict[str, Any]:
    """Run a spec and return what the same spec must give again."""
    record = run(a_spec(**changes))
    assert record.status == "ok", record.reason
    return measured(record.to_json())


class Seen:
    """The numbers of the samples of each batch that a method was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[list[int]] = []
        self.outer: list[tuple[list[int], list[int]]] = []
        self.starts: list[list[Tensor]] = []
        self.build = train.build_method
        monkeypatch.setattr(train, "build_method", self._spy)

    def _spy(self, *arguments: Any, **keywords: Any) -> Method:
        method = self.build(*arguments, **keywords)
        self.starts.append([p.detach().clone() for p in method.problem.model.parameters()])
        backward, outer_step = method.backward, method.outer_step

        def seen_backward(batch: Any) -> Tensor:
            self.trained.append(numbers(batch))
            return backward(batch)

        def seen_outer_step(training: Any, held_out: Any, lr: float) -> None:
            self.outer.append((numbers(training), numbers(held_out)))
            outer_step(training, held_out, lr)

        method.__dict__.update(backward=seen_backward, outer_step=seen_outer_step)
        return method


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


@EVERY_METHOD
def test_a_run_repeats_bit_for_bit(method: str, toy: Toy) -> None:
    first = result(method=method, phase="final")
    torch.manual_seed(99)  # whatever ran before in the process
    torch.rand(3)
    assert result(method=method, phase="final") == first
    assert result(method=method, phase="final", seed=1) != first


@EVERY_METHOD
def test_bilevel_methods_never_train_on_auxiliary_samples_and_others_do(method: str, toy: Toy, seen: Seen) -> None:
    result(method=method)
    trained = {number for batch in seen.trained for number in batch}
    made = baselines.load(method)(toy.problem("few", 0))
    own = AUXILIARY if made.held_out == "auxiliary" else TRAIN | AUXILIARY
    assert trained == (TRAIN if made.outer_every and own == AUXILIARY else TRAIN | AUXILIARY)
    assert bool(seen.outer) == bool(made.outer_every)
    for training, held_out in seen.outer:
        assert set(training) <= trained
        assert set(held_out) <= own
        assert set(held_out) == own or own != AUXILIARY


def test_single_level_methods_see_the_same_batches_and_all_methods_the_same_start(toy: Toy, seen: Seen) -> None:
    batches = {}
    for method in served():
        seen.trained.clear()
        result(method=method)
        if not seen.outer:
            batches[method] = list(seen.trained)
        seen.outer.clear()
    assert len(batches) >= 2
    assert len(batches["stl"]) == 12
    assert batches["stl"][:4] != batches["stl"][4:8], "epochs are shuffled anew"
    assert all(found == batches["stl"] for found in batches.values())
    first, *others = seen.starts
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))
    result(seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(first, seen.starts[-1], strict=True))
    assert seen.trained != batches["stl"]


def test_labels_are_the_same_for_all_methods_and_differ_between_seeds(toy: Toy) -> None:
    def labels(method: str, seed: int) -> Tensor:
        training = Training(toy, a_spec(method=method, seed=seed), torch.device("cpu"))
        return training.data.samples.targets[0]

    assert torch.equal(labels("stl", 1), labels("equal", 1))
    assert torch.equal(labels("stl", 1), labels("auxilearn-linear", 1))
    assert not torch.equal(labels("stl", 1), labels("stl", 2))


@pytest.mark.parametrize("method", ["stl", "gcs", "auxilearn-linear"])
@pytest.mark.parametrize("phase", ["search", "final"])
def test_test_labels_change_nothing_but_the_test_result(method: str, phase: str, toy: Toy) -> None:
    clean = result(method=method, phase=phase)
    toy.scramble_test = True
    scrambled = result(method=method, phase=phase)
    assert (clean.pop("test") != scrambled.pop("test")) == (phase == "final")
    assert clean == scrambled


def test_the_test_set_is_measured_once_a_final_run_and_never_in_the_search(toy: Toy) -> None:
    assert result(phase="final")["test"].keys() == {"top1", "top2"}
    assert toy.measured == [VALIDATION] * 3 + [TEST]
    toy.measured.clear()
    assert result(phase="search")["test"] == {}
    assert toy.measured == [VALIDATION] * 3


@pytest.mark.parametrize("phase", ["search", "final"])
def test_both_phases_train_alike(phase: str, toy: Toy) -> None:
    expected = {**result(seed=3), "test": {}}
    assert {**result(seed=3, phase=phase), "test": {}} == expected


Scores = list[float]


@pytest.fixture
def scored(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scores], Record]:
    """Return a function that runs with made-up validation scores; the test score is the selected model's bias."""

    def go(scores: Scores) -> Record:
        remaining = iter(scores)

        def measure(self: Training, index: Tensor) -> dict[str, float]:
            first = next(self.problem.model.parameters())
            if torch.equal(index, self.data.test):
                return {"top1": float(first.detach().sum())}
            states.append(float(first.detach().sum()))
            return {"top1": next(remaining)}

        states: list[float] = []
        monkeypatch.setattr(Training, "measure", measure)
        record = run(a_spec(phase="final", epochs=len(scores)))
        assert record.status == "ok", record.reason
        assert len(set(states)) == len(states)
        assert record.test["top1"] == states[record.selected["epoch"] - 1], "the selected checkpoint is tested"
        assert record.selected["validation"]["top1"] == scores[record.selected["epoch"] - 1]
        return record

    return go


@pytest.mark.parametrize(
    ("scores", "best"), [([0.1, 0.3, 0.2], 2), ([0.1, 0.3, 0.3], 2), ([0.3, 0.3, 0.3], 1), ([0.1, 0.2, 0.3], 3)]
)
def test_the_earliest_best_epoch_counts(scores: Scores, best: int, scored: Callable[[Scores], Record]) -> None:
    assert scored(scores).selected["epoch"] == best


def test_lower_is_better_where_the_suite_says_so(toy: Toy, scored: Callable[[Scores], Record]) -> None:
    toy.metrics = (Metric("top1", higher_is_better=False),)  # pyright: ignore[reportAttributeAccessIssue]
    assert scored([0.3, 0.1, 0.2, 0.1]).selected["epoch"] == 2


def test_the_last_epoch_counts_where_the_suite_says_so(toy: Toy, scored: Callable[[Scores], Record]) -> None:
    toy.selected_epoch = "last"  # pyright: ignore[reportAttributeAccessIssue]
    assert scored([0.3, 0.1, 0.2]).selected["epoch"] == 3


def test_a_diverging_run_is_a_record_that_says_when(toy: Toy) -> None:
    spec = a_spec(method="equal", hyper=(("lr", 1e30), ("weight_decay", 0.0)))
    record = run(spec)
    assert (record.status, record.spec) == ("diverged", spec)
    assert "in epoch" in record.reason
    assert record.environment["device"]
    assert record.timing["total_sec"] > 0
    assert Record.from_json(record.to_json()) == record


def test_a_metric_that_is_not_finite_is_a_divergence(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy, "measure", lambda setting, model, batches: {"top1": float("nan"), "top2": 0.0})
    record = run(a_spec())
    assert (record.status, record.reason) == ("diverged", "top1 is nan")


def test_a_method_that_raises_is_a_record_of_one_line(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(self: Method, losses: Tensor) -> Tensor:
        raise ArithmeticError("the sky\nis falling " + "!" * 1000)

    monkeypatch.setattr(baselines.load("equal"), "combine", fall)
    record = run(a_spec(method="equal"))
    line = fall.__code__.co_firstlineno + 1
    assert (record.status, record.reason) == ("failed", f"ArithmeticError: the sky (test_train.py:{line})")
    assert run(a_spec(method="stl")).status == "ok"


def test_rows_are_complete(toy: Toy) -> None:
    record = run(a_spec(method="equal"))
    assert [row["epoch"] for row in record.epochs] == [1, 2, 3]
    assert record.tasks == ("main", "side", "value")
    for row in record.epochs:
        assert row["lr"] == 0.1
        assert len(row["loss"]) == 3
        assert row["weight"] == pytest.approx([1.0, 1.0, 1.0])
        assert row["validation"].keys() == {"top1", "top2"}
    assert record.epochs[0]["loss"] > record.epochs[2]["loss"]
    assert {"step_sec", "train_sec", "evaluation_sec", "total_sec"} <= record.timing.keys()
    assert record.memory["peak_bytes"] > 1e6
    assert {"commit", "python", "torch", "device", "threads"} <= record.environment.keys()


def test_an_epoch_without_a_pass_over_the_data_has_the_steps_asked_for(toy: Toy, seen: Seen) -> None:
    toy.steps_per_epoch, toy.batch_size = 5, None  # pyright: ignore[reportAttributeAccessIssue]
    result(epochs=2)
    assert len(seen.trained) == 10
    assert all(set(batch) == TRAIN | AUXILIARY for batch in seen.trained)


def test_a_run_on_other_data_than_planned_is_refused(toy: Toy) -> None:
    record = run(a_spec(data="toy-0"))
    assert record.status == "failed"
    told = "LookupError: the data here are toy-1, those of the plan toy-0; run the command again (train.py:"
    assert record.reason.startswith(told)
    assert not record.epochs
