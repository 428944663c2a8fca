"""How the harness scales: what is measured is a campaign as users run it; no time is asserted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmark import engine
from benchmark.engine import Resources, run_cell
from benchmark.places import Places
from benchmark.record import Record
from benchmark.spec import Spec
from benchmark.speed import checkpoints, empty
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from benchmark.speed.scale import FILE
from tests.benchmark.helpers import a_spec
from tests.benchmark.speed.conftest import Cli

WORDS = ("scale", "--cells", "2", "--epochs", "1", "--empty", "300", "--repeats", "2", "--results-dir")


class Here:
    """Runs cells in this process, several at hand as with workers."""

    def __init__(self, cell: Callable[..., dict[str, Any]]) -> None:
        self._cell = cell
        self._waiting: list[Spec] = []

    slots = 2

    def room(self) -> int:
        return 4 - len(self._waiting)

    def submit(self, spec: Spec, bars: object = None) -> None:
        assert bars is None
        self._waiting.append(spec)

    def ready(self) -> bool:
        return False

    def next(self) -> Record:
        return Record.from_json(self._cell(self._waiting.pop(0).to_json(), "cpu", Places()))

    def stop(self) -> None:
        raise AssertionError("nobody stops it")


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run cells here instead of on workers; return the numbers of workers that were asked for."""
    asked: list[int] = []

    @contextmanager
    def start(
        resources: Resources, say: object = print, cell: Callable[..., dict[str, Any]] = run_cell
    ) -> Iterator[Here]:
        asked.append(resources.workers)
        yield Here(cell)

    monkeypatch.setattr(engine, "start", start)
    monkeypatch.setattr(empty, "measure", lambda cells, *, workers: empty.campaign_of(cells, workers))
    monkeypatch.setattr(checkpoints, "state_of_a_run", lambda device: {"model": {}})
    return asked


def test_one_command_measures_writes_and_prints(cli: Cli, started: list[int], tmp_path: Path) -> None:
    assert cli(*WORDS, tmp_path).status == 0
    ended = cli(*WORDS, tmp_path)  # in place of the first measurement
    assert ended.status == 0, ended.err
    assert started == 2 * [1, 2, 2]
    found = {row.what: row for row in read(tmp_path / FILE, Measurement)}
    assert len(found) == 11
    for row in found.values():
        assert 0 < row.lowest <= row.value <= row.highest
        assert f"| {row.what} " in ended.out
    ratio = found["ratio of two workers to one"]
    one, two = found["runs a minute, 1 worker"], found["runs a minute, 2 workers"]
    assert ratio.turns == 2
    assert two.lowest / one.highest <= ratio.value <= two.highest / one.lowest
    assert 300 <= int(found["empty cells a second"].detail.split()[0]) < 318
    assert {path.name for path in (tmp_path / "speed").iterdir()} - {".lock"} == {FILE.name}


def test_an_empty_cell_has_a_record_as_a_run_has() -> None:
    for phase in ("search", "final"):
        spec = a_spec(phase=phase, seed=3, epochs=20)
        values = empty.empty_cell(spec.to_json(), "cpu", Places())
        assert values == empty.empty_cell(spec.to_json(), "cpu", Places())
        record = Record.from_json(values)
        assert (record.spec, record.status, len(record.epochs)) == (spec, "ok", 20)
        assert bool(record.test) == (phase == "final")
