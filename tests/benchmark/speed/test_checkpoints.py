"""The cost of a checkpoint: what is measured is a whole state, and the share follows from the time it takes."""

from pathlib import Path

import pytest
import torch

from benchmark.speed import checkpoints
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import read
from tests.benchmark.speed.conftest import Cli


@pytest.mark.parametrize(("seconds", "interval", "share"), [(0.5, 50.0, 1.0), (0.03, 30.0, 0.1)])
def test_the_share_that_is_written_follows_from_the_cost(
    seconds: float, interval: float, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setattr(checkpoints, "state_of_a_run", lambda device: {"model": {"weight": torch.ones(250_000)}})
    measure, times = checkpoints.measure, []

    def measured(path: Path, state: object, *, repeats: int) -> tuple[list[float], list[float]]:
        times.append(measure(path, {"model": torch.ones(250_000)}, repeats=repeats))
        return [seconds] * repeats, [0.25] * repeats

    monkeypatch.setattr(checkpoints, "measure", measured)
    ended = cli("checkpoint", "--repeats", "3", "--results-dir", tmp_path)
    assert ended.status == 0, ended.err
    found = {row.what: row for row in read(tmp_path / checkpoints.FILE, Measurement)}
    assert found["seconds to write a checkpoint"].value == seconds
    assert found["seconds to read a checkpoint"].value == 0.25
    assert found["seconds between two checkpoints"].value == interval
    assert found["share of checkpoints in a run's time, % (at most 1)"].value == pytest.approx(share)
    assert found["MB of a checkpoint"].value == pytest.approx(1.0, abs=0.01)
    assert [len(part) for part in times[0]] == [3, 3]
    assert min(map(min, times[0])) > 0
    assert {path.name for path in (tmp_path / "speed").iterdir()} - {".lock"} == {checkpoints.FILE.name}


def test_the_state_is_that_of_a_network_its_optimiser_and_the_selected_one() -> None:
    state = checkpoints.state_of_a_run(torch.device("cpu"))
    assert state["selection"].keys() == state["model"].keys()
    moments = state["optimizer"]["state"].values()
    assert all({"step", "exp_avg", "exp_avg_sq"} <= moment.keys() for moment in moments)
    assert len(moments) == sum(name.endswith(("weight", "bias")) for name in state["model"])
