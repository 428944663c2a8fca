"""Sentences on speed have the numbers of their files."""

from dataclasses import replace
from pathlib import Path

from benchmark.findings import speeds
from benchmark.speed import hypergradient, rows
from benchmark.speed.data import Speed
from benchmark.speed.measurement import Measurement
from tests.benchmark.made_up import ORIGIN, WHERE


def measured(what: str, value: float, detail: str = "some runs", load: float = 0.25) -> Measurement:
    return Measurement(
        what=what, value=value, lowest=value / 2, highest=2 * value, turns=3, detail=detail, cores=2, load=load, **WHERE
    )


def test_scale(tmp_path: Path) -> None:
    found = [
        measured("ratio of two workers to one", 1.5),
        measured("empty cells a second", 123.4, "ten cells"),
        measured("peak memory of the driver, MB", 456.7),
        measured("share of checkpoints in a run's time, %", 0.5, "a network", load=0.75),
        measured("seconds to start 1 worker", 2.25),
    ]
    rows.write(tmp_path / "speed/scale.csv", found, Measurement)
    text = speeds.scale(tmp_path)
    for part in (
        "1.50 times the runs of one (0.75 to 3.00 in 3 turns; some runs)",
        "123 empty cells a second, with 457 MB of the driver (ten cells)",
        "checkpoints (a network) take 0.50 %",
        "ready after 2.2 s",
        f"2 cores, load average 0.2 to 0.8, {ORIGIN}",
    ):
        assert part in text


def test_overhead(tmp_path: Path) -> None:
    ratio = "ratio of harness to bare loop"
    ends = [measured(f"{ratio}, {end} quartile", value) for end, value in (("lower", 1.0), ("upper", 1.25))]
    found = [measured("harness, ms", 20), measured("bare loop, ms", 10), measured(ratio, 1.125), *ends]
    rows.write(tmp_path / "speed/overhead.csv", found, Measurement)
    text = speeds.overhead(tmp_path)
    assert "harness 20.00 ms, bare loop 10.00 ms, median ratio 1.125 (quartiles 1.000 and 1.250, 3 pairs)" in text


def test_data(tmp_path: Path) -> None:
    speed = Speed(
        images=512,
        workers=2,
        ours=2000.0,
        loader=80.0,
        ratio=25.0,
        lowest=20.0,
        highest=30.0,
        decoding=100.0,
        epochs_to_pay=0.75,
        kilobytes=90.0,
        turns=7,
        **WHERE,
    )
    fewer = replace(speed, images=64, ours=1000.0)
    elsewhere = replace(speed, device="an older machine", date="2025-12-31", ours=3000.0)
    rows.write(tmp_path / "speed/data.csv", [speed, fewer, elsewhere], Speed)
    text = speeds.data(tmp_path)
    assert "2,000 against 80 images a second, median ratio 25 (20 to 30 in 7 turns)" in text
    assert "100 images a second, is not in it and has paid off after 0.8 epochs" in text


def test_outer_steps(tmp_path: Path) -> None:
    cost = hypergradient.OuterStep(2, "identity", 1.5, 1.1, None, 0.034, turns=3, **WHERE)
    elsewhere = replace(cost, device="an older machine", date="2025-12-31", time=9.0)
    rows.write(tmp_path / hypergradient.FILE, [elsewhere, cost], hypergradient.OuterStep)
    table, caption = speeds.outer_steps(tmp_path).split("\n\n")
    _, _, row = table.splitlines()
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "2",
        "identity",
        "1.50",
        "1.100",
        "",
        "3.4e-02",
    ]
    assert "medians of 3 turns" in caption
    assert caption.endswith(f"{ORIGIN}.")


def test_layout(tmp_path: Path) -> None:
    found = [
        measured("channels first to last, a step of mnist", 1.5, "128 samples"),
        measured("channels first to last, evaluation of mnist", 4.25, "1000 samples, 128 at once against 4096"),
    ]
    rows.write(tmp_path / "speed/layout.csv", found, Measurement)
    assert (
        "last, median of 3 turns: a step of mnist 1.50 (128 samples); evaluation of mnist 4.25 (1000 samples, 128 at "
        f"once against 4096); load average 0.2, {ORIGIN}"
    ) in speeds.layout(tmp_path)
