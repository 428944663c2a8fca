"""Seconds of suites: what is timed, the file they go into, and the command."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmark.errors import UserError
from benchmark.speed import rows, suite_costs, suites
from benchmark.speed.suite_costs import SuiteCost
from tests.benchmark.helpers import Ended, Toy, install
from tests.benchmark.made_up import WHERE

Cli = Callable[..., Ended]
CPU = torch.device("cpu")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    suite = Toy()
    install(monkeypatch, suite)
    return suite


def clock(monkeypatch: pytest.MonkeyPatch, taken: dict[bool, float]) -> list[bool]:
    """Let a step take a known time with and without an outer step; return which kind was timed, in order."""
    timed: list[bool] = []

    def seconds(work: Callable[[], object], device: torch.device) -> float:
        cells = [cell.cell_contents for cell in work.__closure__]  # type: ignore[attr-defined]
        (training,) = (each for each in cells if hasattr(each, "step"))
        timed.append(bool(training.method.outer_every) and training.step % training.method.outer_every == 0)
        work()
        return taken[timed[-1]]

    monkeypatch.setattr(suites, "seconds", seconds)
    monkeypatch.setattr(suites, "evaluation", lambda training, device: 0.25)
    return timed


def arm(toy: Toy, method: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Toy, "default_methods", (method,))
    (found,) = suites.first_arms("toy")
    return found


def test_steps_and_outer_steps_are_told_apart(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    timed = clock(monkeypatch, {False: 0.5, True: 2.0})
    cost = suites.measure(arm(toy, "auxilearn-linear", monkeypatch), steps=3, device=CPU)
    assert timed == [True, False, False, False, True, True, True]
    assert (cost.step_sec, cost.outer_step_sec, cost.steps) == (0.5, 1.5, 3)
    assert cost.outer_every > 1
    assert cost.mean_step_sec == pytest.approx(0.5 + 1.5 / cost.outer_every)
    assert (cost.suite, cost.setting, cost.kind, cost.evaluation_sec) == ("toy", "few", "cpu", 0.25)


def test_a_long_step_is_timed_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    timed = clock(monkeypatch, {False: 50.0, True: 200.0})
    cost = suites.measure(arm(toy, "equal", monkeypatch), steps=3, device=CPU)
    assert (timed, cost.step_sec, cost.outer_step_sec, cost.steps) == ([False], 50.0, 0.0, 1)
    timed.clear()
    cost = suites.measure(arm(toy, "auxilearn-linear", monkeypatch), steps=3, device=CPU)
    assert (timed, cost.step_sec, cost.outer_step_sec) == ([True, False], 50.0, 150.0)


@pytest.mark.parametrize(("every", "many"), [(0, 20), (1, 20), (2, 1), (5, 4), (50, 20)])
def test_on_a_gpu_ordinary_steps_are_timed_together_and_none_is_too_long(
    every: int, many: int, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stands:
        """Stands for a run on a GPU: notes what is asked of it."""

        step = 0

        def __init__(self, *given: object) -> None:
            self.method = type("Method", (), {"outer_every": every})
            self.advance = lambda count: asked.append((self.step, count))

    asked: list[tuple[int, int]] = []

    def seconds(work: Callable[[], object], device: torch.device) -> float:
        work()
        return 10.0 * asked[-1][1] + (0.0 if asked[-1][0] else 6.0)

    found = arm(toy, "equal", monkeypatch)
    monkeypatch.setattr(suites, "Training", Stands)
    monkeypatch.setattr(suites, "seconds", seconds)
    monkeypatch.setattr(suites, "evaluation", lambda training, device: 0.25)
    monkeypatch.setattr(suites, "origin", lambda device: WHERE)
    cost = suites.measure(found, steps=2, device=torch.device("cuda"))
    assert asked == [(0, 1), (1, many), (1, many), *([(0, 1)] * 2 if every else [])]
    assert (cost.step_sec, cost.steps) == (10.0, 2)
    assert cost.outer_step_sec == (6.0 if every > 1 else 0.0)


def test_an_outer_step_in_every_step_is_part_of_it(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, {False: 0.5, True: 2.0})
    monkeypatch.setattr(Toy, "defaults", {"outer_every": 1})
    cost = suites.measure(arm(toy, "auxilearn-linear", monkeypatch), steps=2, device=CPU)
    assert (cost.step_sec, cost.outer_step_sec, cost.mean_step_sec) == (2.0, 0.0, 2.0)


def test_seconds_of_one_thread_are_the_processors() -> None:
    torch.set_num_threads(1)
    assert 0 < suites.seconds(lambda: sum(range(300_000)), CPU) < 5


def test_the_file_gives_back_what_was_written_and_keeps_other_rows(tmp_path: Path) -> None:
    where = {**WHERE, "device": "a, machine"}
    first = SuiteCost("toy", "few", "cpu", "stl", 0.5, 0.0, 0, 0.001, 3, **where)
    other = SuiteCost("toy", "few", "cuda", "stl", 0.1, 2.5, 20, 1e-5, 1, **where)
    path = tmp_path / "speed" / "suites.csv"
    assert rows.read(path, SuiteCost) == []
    rows.add(path, [other, first], SuiteCost)
    again = SuiteCost("toy", "few", "cpu", "stl", 0.75, 0.0, 0, 0.002, 5, **where)
    assert rows.add(path, [again], SuiteCost) == rows.read(path, SuiteCost) == [again, other]
    path.write_text(path.read_text().replace("0.75", "fast"))
    with pytest.raises(UserError, match=r"suites\.csv does not hold costs"):
        rows.read(path, SuiteCost)


def test_the_command_measures_every_default_method(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    ended = cli("suites", "--suite", "toy", "--steps", "1", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = rows.read(tmp_path / suite_costs.FILE, SuiteCost)
    assert [cost.method for cost in found] == ["equal", "stl"]
    assert all(cost.step_sec > 0 and cost.evaluation_sec > 0 for cost in found)
    assert "toy, equal: step" in ended.out


def test_an_unknown_suite_is_one_line(cli: Cli) -> None:
    ended = cli("suites", "--suite", "nothing")
    assert ended.status == 2
    assert ended.err.startswith("error: unknown suite 'nothing'")
    assert ended.err.count("\n") == 1
