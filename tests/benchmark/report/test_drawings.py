"""Figures of several plans: each plan's own files, none written over, every one naming its plan."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from benchmark.figures import write as figures
from benchmark.plan import Options, make_plan
from benchmark.record import Record
from benchmark.report.drawings import folders_of, shown, write_drawings
from benchmark.report.experiments import experiments
from benchmark.report.suites import names_of, suite_results
from tests.benchmark.helpers import Toy, by_digest
from tests.benchmark.report.campaigns import campaign, left_by

PLANS: tuple[dict[str, Any], ...] = ({}, {"epochs": 7}, {"trials": 4, "sampler": "random"}, {"epochs": 5})
NAMES = [
    "the suite's own plan",
    "7 epochs, the suite's own are 3",
    "equal-budget of 4 trials by random",
    "5 epochs, the suite's own are 3",
]


def commands() -> list[Options]:
    return [Options("toy", settings=("few",), methods=("stl", "equal"), **plan) for plan in PLANS]


@pytest.fixture
def records(toy: Toy) -> dict[str, Record]:
    return by_digest(record for plan in commands() for record in campaign(make_plan(plan)))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return all words of each figure by file, filled as they are written."""
    found: dict[str, str] = {}

    def save(figure: Figure, folder: Path, name: str, *, sample: bool) -> list[str]:
        path = folder / f"{name}.png"
        assert str(path) not in found, "no figure is written twice"
        found[str(path)] = " ".join([figure.get_suptitle(), *(text.get_text() for text in figure.texts)])
        path.touch()
        return [path.name]

    monkeypatch.setattr(figures, "save", save)
    return found


def test_each_plan_has_files_of_its_own_that_name_it(
    records: dict[str, Record], drawn: dict[str, str], tmp_path: Path
) -> None:
    written = write_drawings("toy", records, tmp_path, left_by(*commands()))
    below = folders_of(NAMES)
    assert below[0] == ""
    assert len(set(below)) == len(NAMES)
    for name, folder in zip(NAMES, below, strict=True):
        mine = {path: words for path, words in drawn.items() if Path(path).parent == tmp_path / folder}
        assert {"learning_curves-few", "weights", "cost-few"} <= {Path(path).stem for path in mine}
        assert all(name in " ".join(words.split()) for words in mine.values())
        search = "search_points" if "trials" in name else "grid"
        assert str(Path(folder, f"{search}-few.png")) in written
    assert sorted(written) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())


def test_names_of_plans_are_those_of_their_tables(records: dict[str, Record]) -> None:
    assert names_of(experiments("toy", records.values(), left_by(*commands()))) == NAMES
    found = suite_results("toy", records, planned=left_by(*commands()), results_dir=Path("results"))
    titles = [each.title for each in found]
    assert titles == ["Results of suite toy", *(f"Results of suite toy: {name}" for name in NAMES[1:])]


def test_a_suites_own_plan_alone_needs_no_name(toy: Toy, drawn: dict[str, str], tmp_path: Path) -> None:
    plan = Options("toy", settings=("few",), methods=("stl", "equal"))
    write_drawings("toy", by_digest(campaign(make_plan(plan))), tmp_path, left_by(plan))
    assert drawn
    assert not any("Plan:" in words or "suite's own" in words for words in drawn.values())
    assert {Path(path).parent for path in drawn} == {tmp_path}


def test_long_names_and_names_of_the_same_letters_stay_apart() -> None:
    long = "with " + "lr 0.1 or 0.2, " * 20
    folders = folders_of(["own", long, long + "x", "a/../b", "a b"])
    assert len(set(folders)) == 5
    assert all("/" not in folder and len(folder) < 90 for folder in folders)


def test_a_terminal_is_told_of_folders_and_not_of_every_file_in_them() -> None:
    assert shown(["a.png", "b/a.png", "b/c.png", "d/a.png", "d/b.pdf"]) == ["a.png", "b/ (2 files)", "d/ (2 files)"]
