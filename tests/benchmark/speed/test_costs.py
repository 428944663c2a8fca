"""The file of costs gives back what was put into it."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import UserError
from benchmark.speed import rows
from benchmark.speed.costs import Cost
from tests.benchmark.made_up import WHERE

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"))
numbers = st.none() | st.floats(0, 1e4)
some_costs = st.builds(
    Cost,
    auxiliaries=st.integers(1, 3),
    method=st.sampled_from(("equal", "gcs")),
    variant=texts,
    step=numbers,
    outer_step=numbers,
    outer_every=st.integers(0, 20),
    mean_step=numbers,
    peak_memory=numbers,
    turns=st.integers(0, 9),
    note=texts,
    device=texts,
    commit=texts,
    torch=texts,
    threads=texts,
    date=texts,
)


@given(found=st.lists(some_costs, unique_by=lambda cost: cost.key, max_size=4))
def test_a_file_gives_back_what_was_written(found: list[Cost], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("costs") / "speed" / "methods.csv"
    assert rows.read(path, Cost) == []
    assert rows.add(path, found, Cost) == sorted(found, key=lambda cost: cost.key)
    assert rows.read(path, Cost) == sorted(found, key=lambda cost: cost.key)
    assert {file.name for file in path.parent.iterdir()} - {".lock"} == {"methods.csv"}


def test_a_new_measurement_replaces_its_own_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "methods.csv"
    old, other = Cost(2, "gcs", "", step=3.0, **WHERE), Cost(2, "gcs", "gate=sum", step=2.0, **WHERE)
    rows.add(path, [old, other], Cost)
    new, more = replace(old, step=2.5, date="2026-02-02"), Cost(12, "equal", "", note="not today", **WHERE)
    assert rows.add(path, [more, new], Cost) == [new, other, more]
    assert rows.read(path, Cost) == [new, other, more]
    with path.open() as file:
        assert len(list(csv.reader(file))) == 4


@pytest.mark.parametrize(
    "text", ["auxiliaries,method\n2,gcs\n", "nonsense\nx\n"], ids=["columns are missing", "something else"]
)
def test_what_is_no_file_of_costs_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "methods.csv").write_text(text)
    with pytest.raises(UserError, match=r"methods\.csv does not hold costs"):
        rows.read(tmp_path / "methods.csv", Cost)


def test_a_word_for_a_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "methods.csv"
    rows.add(path, [Cost(2, "gcs", "", step=1.25, **WHERE)], Cost)
    path.write_text(path.read_text().replace("1.25", "fast"))
    with pytest.raises(UserError, match="does not hold costs"):
        rows.read(path, Cost)
