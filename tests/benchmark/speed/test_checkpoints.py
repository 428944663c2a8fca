"""The cost of a checkpoint: what is measured is a whole state, and the share follows from the time it takes."""

from pathlib import Path

import pytest
import torch

from benchmark.speed import checkpoints


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.5, "one every 50 s, which is 1.00 % of"), (0.03, "one every 30 s, which is 0.10 % of")],
)
def test_the_report_says_what_share_follows_from_the_cost(
    seconds: float, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checkpoints, "state_of_a_run", lambda device: {"model": {"weight": torch.ones(250_000)}})
    measure, times = checkpoints.measure, []

    def measured(path: Path, state: object, *, repeats: int) -> tuple[list[float], list[float]]:
        times.append(measure(path, {"model": torch.ones(250_000)}, repeats=repeats))
        return [seconds] * repeats, [0.25] * repeats

    monkeypatch.setattr(checkpoints, "measure", measured)
    checkpoints.report(repeats=3, device="cpu", folder=tmp_path / "results")
    out = capsys.readouterr().out
    assert told in out
    assert ": 1 MB" in out
    assert [len(part) for part in times[0]] == [3, 3]
    assert min(map(min, times[0])) > 0
    assert not list((tmp_path / "results").iterdir())


def test_the_state_is_that_of_a_network_its_optimiser_and_the_selected_one() -> None:
    state = checkpoints.state_of_a_run(torch.device("cpu"))
    assert state["selection"].keys() == state["model"].keys()
    moments = state["optimizer"]["state"].values()
    assert all({"step", "exp_avg", "exp_avg_sq"} <= moment.keys() for moment in moments)
    assert len(moments) == sum(name.endswith(("weight", "bias")) for name in state["model"])
