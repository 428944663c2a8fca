"""MNIST's widths: the text says what was measured."""

from pathlib import Path

from benchmark.explanations.widths import FILE
from benchmark.findings.widths import mnist_widths
from benchmark.speed.measurement import Measurement, write
from tests.benchmark.made_up import rows


def test_the_text_has_every_width_and_the_published_number(tmp_path: Path) -> None:
    about = {"turns": 5, "detail": "", "cores": 2, "load": 0.5, "threads": "1", "date": "2026-01-02"}
    made = [
        Measurement(
            "a machine",
            f"mean test top1 of stl, %, channels {name}",
            *values,
            torch="9.9",
            commit="1234567890",
            **about,
        )
        for name, values in {"32 and 64": (97.125, 97.0, 97.5), "4 and 8": (95.0, 94.0, 96.0)}.items()
    ]
    older = {field: getattr(made[0], field) for field in ("value", "lowest", "highest", "what", "torch", "commit")}
    write(tmp_path / FILE, [*made, Measurement(device="another machine", **{**about, **older, "date": "2026-01-01"})])
    text = mnist_widths(tmp_path)
    assert [row["channels"] for row in rows(text)] == ["32 and 64", "4 and 8"]
    assert [row["test top1"] for row in rows(text)] == ["97.12", "95.00"]
    assert rows(text)[1]["lowest and highest run"] == "94.00 to 96.00"
    assert "mean of 5 final runs; the preprint: 95.5. a machine, torch 9.9, commit 1234567, 2026-01-02." in text
