"""What became of generated labels: the text says what was measured."""

from pathlib import Path

from benchmark.explanations.labels import FILE, TRAINED, Labels
from benchmark.findings.labels import moved
from benchmark.speed import rows
from tests.benchmark.made_up import ORIGIN, WHERE
from tests.benchmark.made_up import rows as rows_of


def test_the_text_has_every_kind_of_run_and_its_means(tmp_path: Path) -> None:
    made = [
        Labels(
            suite=each.suite,
            method=each.name,
            seed=seed,
            moved=0.1 * seed,
            changed=0.25,
            largest_before=0.5,
            largest_after=0.25 * seed,
            bits_before=0.05,
            bits_after=0.01 * number,
            top1=0.9 + 0.01 * seed,
            **WHERE,
        )
        for number, each in enumerate(TRAINED)
        for seed in (1, 3)
    ]
    rows.write(tmp_path / FILE, made, Labels)
    text = moved(tmp_path)
    found = rows_of(text)
    assert [(row["suite"], row["method"]) for row in found] == [(f"`{each.suite}`", each.name) for each in TRAINED]
    assert found[2] == {
        **found[2],
        "mass moved": "0.20",
        "likeliest sub-class changed": "25 %",
        "largest mass": "0.500 to 0.500 ± 0.250",
        "bits": "0.050 to 0.020 ± 0.000",
        "top1": "92.00 ± 1.00",
    }
    assert ORIGIN in text
