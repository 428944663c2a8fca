"""Records of several people: the same ones once, conflicts and mixed protocols refused by name in one line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.record import Record
from benchmark.report.merge import files_of, merge
from tests.benchmark.helpers import a_failure, a_record, a_spec

FINAL = a_spec(phase="final", seed=1)


def a_file(folder: Path, records: Iterable[Record], end: str = "") -> Path:
    folder.mkdir(parents=True)
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record.to_json()) + "\n" for record in records) + end)
    return path


def test_runs_of_two_people_are_put_together_and_the_same_run_counts_once(tmp_path: Path) -> None:
    other = a_record(a_spec(method="equal"))
    mine = a_record(FINAL)
    theirs = replace(mine, timing={**mine.timing, "step_sec": 9.0}, environment={"device": "another"})
    files = [a_file(tmp_path / "a", [mine]), a_file(tmp_path / "b", [theirs, other], end='{"spec":{"sui')]
    found = records_of(files)
    assert set(found) == {mine.spec.digest, other.spec.digest}
    assert found[mine.spec.digest].timing["step_sec"] == 0.5, "the first one's"


def test_different_results_of_one_run_are_refused_with_all_that_is_needed_to_mend_it(tmp_path: Path) -> None:
    files = [a_file(tmp_path / "a", [a_record(FINAL)]), a_file(tmp_path / "b", [a_record(FINAL, test=0.25)])]
    with pytest.raises(UserError) as caught:
        merge(files)
    text = str(caught.value)
    for word in (FINAL.digest, "toy, few, stl, final run of seed 1", *map(str, files), "test top1 is 0.5 and 0.25"):
        assert word in text
    assert "remove the other line" in text


def records_of(files: Sequence[Path]) -> dict[str, Record]:
    """Return what files make together, by digest."""
    return {digest: source.record for digest, source in merge(files).items()}


def test_a_failed_run_is_no_conflict(tmp_path: Path) -> None:
    good = a_record(FINAL)
    files = [a_file(tmp_path / "a", [a_failure(FINAL)]), a_file(tmp_path / "b", [good])]
    for order in (files, files[::-1]):
        assert records_of(order) == {FINAL.digest: good}


def test_a_failure_counts_where_there_is_no_result_the_last_one_of_a_file(tmp_path: Path) -> None:
    first, last = a_failure(FINAL, "memory"), a_failure(FINAL, "a worker died")
    files = [a_file(tmp_path / "a", [first, last]), a_file(tmp_path / "b", [first])]
    assert records_of(files) == {FINAL.digest: last}
    assert merge([a_file(tmp_path / "c", [a_record(FINAL), last])])[FINAL.digest].record.status == "ok"


@pytest.mark.parametrize("numbers", [(1, 2), (2, 3), (1,)])
def test_mixed_protocols_are_refused_by_name(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    files = [a_file(tmp_path / str(n), [a_record(replace(FINAL, protocol=n))]) for n in numbers]
    with pytest.raises(UserError) as caught:
        merge(files)
    for number, path in zip(numbers, files, strict=True):
        assert f"{path} has 1 of protocol {number}" in str(caught.value)


def test_paths_are_files_folders_or_folders_of_results(tmp_path: Path) -> None:
    files = [a_file(tmp_path / name, []) for name in ("x/digits", "x/cub", "y")]
    assert files_of([tmp_path / "x", files[2]]) == [files[1], files[0], files[2]]
    assert files_of([files[0], files[0].parent]) == [files[0]], "each once"
    (tmp_path / "empty").mkdir()
    for path, why in ((tmp_path / "z", "no such file"), (tmp_path / "empty", "holds no records.jsonl")):
        with pytest.raises(UserError, match=why):
            files_of([path])


def test_a_loss_that_differs_is_refused_in_one_line(tmp_path: Path) -> None:
    mine = a_record(FINAL)
    theirs = replace(mine, epochs=[{**mine.epochs[0], "loss": [1.0, 2.5, 3.0]}])
    files = [a_file(tmp_path / "a", [mine]), a_file(tmp_path / "b", [theirs])]
    with pytest.raises(UserError) as caught:
        merge(files)
    text = str(caught.value)
    for word in (FINAL.digest, "seed 1", *map(str, files), "epoch 1: loss side is 2.0 and 2.5"):
        assert word in text
    assert "\n" not in text
