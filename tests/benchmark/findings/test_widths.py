"""MNIST's widths: the text says what was measured."""

from dataclasses import replace
from pathlib import Path

from benchmark.explanations.widths import FILE
from benchmark.findings.widths import mnist_widths
from benchmark.speed.measurement import Measurement
from benchmark.speed.rows import write
from tests.benchmark.made_up import ORIGIN, WHERE, rows


def test_the_text_has_every_width_and_the_published_number(tmp_path: Path) -> None:
    made = [
        Measurement(f"mean test top1 of stl, %, channels {name}", *values, 5, "", 2, 0.5, **WHERE)
        for name, values in {"32 and 64": (97.125, 97.0, 97.5), "4 and 8": (95.0, 94.0, 96.0)}.items()
    ]
    elsewhere = replace(made[0], device="another machine", date="2026-01-01")
    write(tmp_path / FILE, [*made, elsewhere], Measurement)
    text = mnist_widths(tmp_path)
    assert [row["channels"] for row in rows(text)] == ["32 and 64", "4 and 8"]
    assert [row["test top1"] for row in rows(text)] == ["97.12", "95.00"]
    assert rows(text)[1]["lowest and highest run"] == "94.00 to 96.00"
    assert f"mean of 5 final runs; the preprint: 95.5. {ORIGIN}." in text
