"""How often work is timed, by a clock of its own."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from benchmark.speed import timing

CPU = torch.device("cpu")


class Clock:
    """Time that passes while work is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.done = 0.0, []
        monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def work(self, name: str, *seconds: float) -> Callable[[], None]:
        """Return work that takes these seconds in its calls, the last ones in all further calls."""
        left = list(seconds)

        def do() -> None:
            self.done.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return do


def ratios(clock: Clock, work: Callable[[], None], repeats: int) -> list[float]:
    return timing.ratios_in_turns(work, clock.work("equal", 1.0), repeats=repeats, device=CPU)


@pytest.mark.parametrize(("cost", "turns"), [(0.5, 6), (1.0, 6), (2.0, 6), (2.5, 5), (4.0, 3), (12.0, 1), (300.0, 1)])
def test_what_costs_more_is_timed_in_fewer_turns(cost: float, turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert ratios(clock, clock.work("method", cost), 6) == [pytest.approx(cost)] * turns
    assert len(clock.done) == 2 * (turns + 1)


def test_the_warm_up_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert ratios(clock, clock.work("method", 1000.0, 1.5, 1.0, 2.0), 3) == pytest.approx([1.5, 1.0, 2.0])


def test_turns_alternate_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    ratios(clock, clock.work("method", 1.0), 3)
    forth, back = ["equal", "method"], ["method", "equal"]
    assert clock.done == [*forth, *forth, *back, *forth]


@pytest.mark.parametrize(
    ("commit", "shown"), [("a" * 40, "a" * 12), ("a" * 40 + "+", "a" * 12 + "+"), ("unknown",) * 2]
)
def test_the_origin_tells_a_changed_checkout(commit: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = {"device": "a machine", "torch": "9.9", "threads": 1, "commit": commit}
    monkeypatch.setattr(timing.environment, "describe", lambda _device: described)
    found = timing.origin(CPU)
    assert found == {"device": "a machine", "torch": "9.9", "threads": "1", "commit": shown, "date": found["date"]}
    assert timing.provenance(CPU) == f"a machine, torch 9.9, 1 thread, commit {shown}, {found['date']}"
