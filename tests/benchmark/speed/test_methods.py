"""The cost of methods: what is measured, written and printed; no time is asserted."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

import auxilearn.gradient_weighting
import baselines
from benchmark.speed import costs, hypergradient, methods, rows
from benchmark.speed.__main__ import task_counts
from benchmark.speed.costs import Cost
from benchmark.speed.variants import Variant
from tests.benchmark.speed.conftest import Cli, known_peaks


def written(folder: Path) -> dict[tuple[int, str, str], Cost]:
    return {cost.key: cost for cost in rows.read(folder / costs.FILE, costs.Cost)}


def test_one_command_measures_writes_and_prints(cli: Cli, tmp_path: Path) -> None:
    words = ("--repeats", 1, "--methods", "gcs,auxilearn-linear,equal", "--results-dir", tmp_path)
    ended = cli("methods", "--tasks", "2", "3", *map(str, words))
    assert ended.status == 0, ended.err
    found = written(tmp_path)
    assert set(found) == {(count, name, "") for count in (2, 3) for name in ("auxilearn-linear", "equal", "gcs")}
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in ended.out.splitlines() if line.startswith("| ")
    ]
    assert len(rows) == 1 + len(found)
    for cost in found.values():
        assert cost.step is not None
        assert cost.step > 0
        assert cost.peak_memory == (1.0 if cost.method == "equal" else 2.5)
        assert cost.turns == 1
        assert cost.note == ""
        assert cost.device
        assert torch.__version__.startswith(cost.torch)
        assert cost.threads == "1"
        assert cost.date > "2026"
        if cost.method == "auxilearn-linear":
            assert cost.outer_step is not None
            assert cost.mean_step == pytest.approx(cost.step + cost.outer_step / cost.outer_every, abs=2e-4)
        else:
            assert (cost.outer_step, cost.outer_every, cost.mean_step) == (None, 0, cost.step)
        cells = [
            str(cost.auxiliaries),
            cost.method,
            f"{cost.step:.2f}",
            f"{cost.mean_step:.2f}",
            f"{cost.peak_memory:.2f}",
        ]
        assert [row for row in rows if [row[0], row[1], row[3], row[6], row[7]] == cells]
    assert str(tmp_path / costs.FILE) in ended.out


@pytest.mark.parametrize(
    "words", [("--tasks", "2", "3"), ("--tasks", "2,3"), ("--tasks", "2, 3"), ("--tasks=2", "3"), ("2", "3,2")]
)
def test_numbers_of_tasks_in_every_spelling(words: Sequence[str], cli: Cli, tmp_path: Path) -> None:
    ended = cli("methods", *words, "--methods", "equal", "--repeats", "1", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    assert set(written(tmp_path)) == {(2, "equal", ""), (3, "equal", "")}


def test_each_number_counts_once_in_the_order_given() -> None:
    assert task_counts("40", ["2,40", "2"]) == [40, 2]
    assert task_counts(None, ["7"]) == [7]


def test_options_may_stand_before_between_and_after_the_numbers(cli: Cli, tmp_path: Path) -> None:
    ended = cli("methods", "--repeats", "1", "--tasks", "2", "--methods", "stl", "3", "--results-dir", tmp_path, "4")
    assert ended.status == 0, ended.err
    assert [count for count, _, _ in written(tmp_path)] == [2, 3, 4]


def test_without_numbers_the_four_of_the_papers_are_measured(cli: Cli, tmp_path: Path) -> None:
    assert cli("methods", "--methods", "equal", "--repeats", "1", "--results-dir", tmp_path).status == 0
    assert [count for count, _, _ in written(tmp_path)] == [2, 12, 40, 312]


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "word": (("--tasks", "two"), "give positive whole numbers, not 'two'"),
    "word after a number": (("--tasks", "2", "x"), "give positive whole numbers, not '2 x'"),
    "zero": (("--tasks", "2,0"), "give positive whole numbers, not '2,0'"),
    "negative": (("--tasks", "-2"), "give positive whole numbers, not '-2'"),
    "empty": (("--tasks", ""), "give positive whole numbers, not ''"),
    "commas": (("--tasks", "2,,3"), "give positive whole numbers, not '2,,3'"),
    "no method": (("--methods", "equal,pgrad"), "unknown method 'pgrad' (did you mean pcgrad?); choose one of: "),
    "empty method": (("--methods", ""), "'' names no method; choose one of: "),
    "helper file": (("--methods", "_torchjd"), "unknown method '_torchjd'; choose one of: "),
    "device": (("--device", "tpu"), "unknown device 'tpu'; choose one of: auto, cpu"),
    "repeats": (("--repeats", "0"), "repeats"),
    "option": (("--task", "2"), "--task"),
}


@pytest.mark.parametrize(("words", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line(words: tuple[str, ...], told: str, cli: Cli, tmp_path: Path) -> None:
    ended = cli("methods", *words, "--results-dir", tmp_path)
    assert ended.status == 2
    assert told in ended.err
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_measurement_that_there_is_not_is_told_with_those_there_are(cli: Cli) -> None:
    ended = cli("nothing")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "'nothing'; choose one of: overhead, methods, " in ended.err


def test_a_file_of_something_else_is_told_and_kept(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / costs.FILE
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    ended = cli("methods", "--tasks", "2", "--methods", "equal", "--repeats", "1", "--results-dir", tmp_path)
    assert ended.status == 2
    assert f"{path} does not hold costs" in " ".join(ended.err.split())
    assert path.read_text() == "a,b\n1,2\n"


def test_every_method_is_measured_or_says_why_not(cli: Cli, tmp_path: Path) -> None:
    ended = cli("methods", "--tasks", "3", "--repeats", "1", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = written(tmp_path)
    assert [name for _, name, _ in found] == baselines.names()
    assert all((cost.step is None) == bool(cost.note) for cost in found.values())
    refused = {cost.method for cost in found.values() if cost.note}
    assert {"auxilearn", "auxilearn-convnet"} <= refused
    assert len(refused) <= 5
    assert "it generates auxiliary labels, and here these are given" in ended.out


def test_hypergradient_takes_numbers_alike_and_writes_what_it_prints(cli: Cli, tmp_path: Path) -> None:
    ended = cli("hypergradient", "--auxiliaries", "2", "3", "--repeats", "1", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    printed = [line.split("|") for line in ended.out.splitlines() if line.startswith("| ")][1:]
    kept = hypergradient.table(rows.read(tmp_path / hypergradient.FILE, hypergradient.OuterStep))
    assert kept.values.tolist() == [[cell.strip() for cell in row[1:-1]] for row in printed]
    assert [row[1].strip() for row in printed] == ["2"] * 5 + ["3"] * 5
    assert [row[5].strip() for row in printed[:3]] == ["2.50", "2.50", ""]
    assert cli("hypergradient", "--auxiliaries", "x").err == "error: give positive whole numbers, not 'x'\n"


def test_what_needs_too_much_memory_has_a_reason_and_grouped_a_cost(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auxilearn.gradient_weighting, "LARGEST_JACOBIAN", 4 * 40 * 320)  # 40 tasks on 320 parameters
    words = ("--tasks", "60", "--methods", "pcgrad", "--repeats", "1", "--results-dir", tmp_path)
    ended = cli("methods", *words)
    assert ended.status == 0, ended.err
    found = written(tmp_path)
    apart, grouped = found[60, "pcgrad", ""], found[60, "pcgrad", "28 groups"]
    assert (apart.step, apart.mean_step, apart.peak_memory, apart.turns) == (None, None, None, 0)
    assert apart.note.startswith("the gradients of 61 tasks on all shared parameters take")
    assert apart.note in ended.out
    assert grouped.step is not None
    assert grouped.note == ""


def test_a_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with known_peaks("cpu") as peak:
        bench = methods.Bench(2, repeats=1, device=torch.device("cpu"), peak=peak)

    def refuse(*_: object) -> None:
        raise ValueError("not\n  today")

    monkeypatch.setattr(Variant, "build", refuse)
    assert bench.cost(Variant("gcs")).note == "not today"


def test_ratios_of_step_and_outer_step_give_the_mean_step(monkeypatch: pytest.MonkeyPatch) -> None:
    known = iter([[1.0, 4.0, 2.0], [7.0]])
    monkeypatch.setattr(methods, "ratios_in_turns", lambda *_, **__: next(known))
    with known_peaks("cpu") as peak:
        cost = methods.Bench(2, repeats=3, device=torch.device("cpu"), peak=peak).cost(Variant("auxilearn-linear"))
    assert (cost.step, cost.outer_step, cost.outer_every) == (2.0, 7.0, 20)
    assert cost.mean_step == pytest.approx(2 + 7 / 20)
    assert (cost.peak_memory, cost.turns) == (2.5, 3)
