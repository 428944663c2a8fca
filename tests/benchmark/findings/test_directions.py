"""Lengths of directions: the text says what was measured."""

from pathlib import Path

from benchmark.explanations.directions import FILE, Directions
from benchmark.findings.directions import lengths
from benchmark.speed.rows import write
from tests.benchmark.made_up import ORIGIN, WHERE, rows


def test_the_text_has_every_method(tmp_path: Path) -> None:
    runs = [
        Directions("far", 1, 500, 2, 7.25, distance=1.0, nudged=3.0, **WHERE),
        Directions("far", 2, 500, 0, 2.0, distance=1.0, nudged=1.5, **WHERE),
        Directions("far", 3, 500, 1, 4.0, distance=2.0, nudged=2.25, **WHERE),
        *(Directions("near", seed, 500, 0, 0.5, distance=1.0, nudged=1.0, **WHERE) for seed in (1, 2, 3)),
    ]
    write(tmp_path / FILE, runs, Directions)
    text = lengths(tmp_path)
    far, near = rows(text)
    assert list(far.values()) == ["`far`", "7.25", "2 of 3", "3 of 1,500 steps", "0.5", "2"]
    assert list(near.values()) == ["`near`", "0.5", "0 of 3", "0 of 1,500 steps", "0", "0"]
    assert "Final runs with 3 seeds" in text
    assert "long: more than 3. A nudge: all parameters start off by 1e-06" in text
    assert text.endswith(f"{ORIGIN}.")
