"""Records on disk: nothing is lost, nothing is guessed, one writer at a time."""

import json
import math
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import UserError
from benchmark.record import Record, Rows, Store
from tests.benchmark.helpers import ROOT, a_failure, a_record, a_spec, by_digest, environment

HOLDER = """
import sys
from pathlib import Path
from benchmark.record import Store
with Store(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def written(folder: Path, count: int = 3) -> Store:
    store = Store(folder)
    with store.writing():
        for seed in range(count):
            store.append(a_record(a_spec(seed=seed), score=0.1 * seed))
    return store


def read(folder: Path) -> dict[str, Record]:
    store = Store(folder)
    store.read()
    return store.records


def test_round_trip(tmp_path: Path) -> None:
    records = [a_record(a_spec(seed=1)), a_record(a_spec(seed=2, phase="final"), test=0.1)]
    records.append(Record(spec=a_spec(seed=3), status="diverged", reason="the loss is not finite"))
    with Store(tmp_path / "new" / "folder").writing() as store:
        for record in records:
            store.append(record)
    assert read(tmp_path / "new" / "folder") == by_digest(records) == store.records


def test_rows_of_epochs_are_kept_as_text_and_read_as_rows(tmp_path: Path) -> None:
    record = a_record()
    with Store(tmp_path).writing() as store:
        store.append(record)
    for rows in (store.records[record.spec.digest].epochs, read(tmp_path)[record.spec.digest].epochs):
        assert isinstance(rows, Rows)
        assert (len(rows), list(rows), rows[-1]) == (1, record.epochs, record.epochs[-1])
        assert rows == record.epochs
        assert rows != [*record.epochs, record.epochs[0]]
        assert replace(record, epochs=rows).to_json() == record.to_json()


def test_a_failed_run_is_made_again_and_its_new_record_counts(tmp_path: Path) -> None:
    spec = a_spec(seed=1)
    with Store(tmp_path).writing() as store:
        store.append(a_failure(spec))
        assert spec.digest in store.records  # this session tells it and does not repeat it
    assert read(tmp_path) == {}
    with Store(tmp_path).writing() as store:
        store.append(a_record(spec))
    assert read(tmp_path) == by_digest([a_record(spec)])


def test_two_results_of_one_run_are_refused(tmp_path: Path) -> None:
    store = written(tmp_path)
    store.path.write_bytes(store.path.read_bytes() + store.path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(UserError, match="two records of run"):
        read(tmp_path)


def test_failures_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    lost, mended = a_spec(seed=1), a_spec(seed=2)
    with Store(tmp_path).writing() as store:
        store.append(a_failure(lost, "first"), a_failure(mended), a_failure(lost, "last"), a_record(mended))
    store = Store(tmp_path)
    store.read(failed=True)
    assert store.records == by_digest([a_failure(lost, "last"), a_record(mended)])
    assert read(tmp_path) == by_digest([a_record(mended)])


def test_a_second_session_adds_to_the_first(tmp_path: Path) -> None:
    first = written(tmp_path)
    before = first.path.read_bytes()
    with Store(tmp_path).writing() as store:
        assert store.records == first.records
        store.append(a_record(a_spec(seed=9)))
    assert store.path.read_bytes().startswith(before)
    assert len(read(tmp_path)) == 4


def test_numbers_that_are_not_finite_become_null(tmp_path: Path) -> None:
    row = {"loss": [math.nan, 1.0, -math.inf], "validation": {"top1": math.inf}}
    with Store(tmp_path).writing() as store:
        store.append(replace(a_record(), epochs=[row], timing={"step_sec": math.nan}))
        (kept,) = store.records.values()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    (line,) = store.path.read_text().splitlines()
    values = json.loads(line, parse_constant=refuse)
    assert values["epochs"] == [{"loss": [None, 1.0, None], "validation": {"top1": None}}]
    assert kept.epochs == values["epochs"]
    assert values["timing"] == {"step_sec": None}


@pytest.mark.parametrize("cut", [1, 40])
def test_a_torn_last_line_is_passed_over_and_cut_by_the_next_writer(cut: int, tmp_path: Path) -> None:
    store = written(tmp_path)
    torn = store.path.read_bytes()[:-cut]
    store.path.write_bytes(torn)
    kept = {a_spec(seed=0).digest, a_spec(seed=1).digest}
    assert set(read(tmp_path)) == kept
    assert store.path.read_bytes() == torn, "reading changes nothing"
    with store.writing():
        assert set(store.records) == kept
        store.append(a_record(a_spec(seed=2), score=0.9))
    assert [seed["spec"]["seed"] for seed in map(json.loads, store.path.read_text().splitlines())] == [0, 1, 2]
    assert read(tmp_path)[a_spec(seed=2).digest].selected["validation"]["top1"] == 0.9


@pytest.mark.parametrize(
    "damage",
    ["{", "", "[]", "null", '{"digest": "0"}', '{"spec": {"suite": "toy"}, "digest": "0"}', '{"spec": []}', "\udcff"],
)
@pytest.mark.parametrize("tail", ["", '{"torn'])
def test_any_other_damage_is_refused_and_left_as_it_is(damage: str, tail: str, tmp_path: Path) -> None:
    store = written(tmp_path)
    good = store.path.read_text().splitlines()
    text = "\n".join([good[0], damage, good[2]]) + "\n" + tail
    found = text.encode(errors="surrogateescape")
    store.path.write_bytes(found)
    with pytest.raises(UserError, match=r"records\.jsonl, line 2: ") as told:
        read(tmp_path)
    assert str(store.path) in str(told.value)
    with pytest.raises(UserError, match=r"records\.jsonl, line 2: "), store.writing():
        raise AssertionError("a damaged file must not be written")
    assert store.path.read_bytes() == found


def test_a_line_changed_by_hand_is_refused(tmp_path: Path) -> None:
    store = written(tmp_path)
    text = store.path.read_text().replace('"lr":0.1', '"lr":0.2', 1)
    store.path.write_text(text)
    with pytest.raises(UserError, match=r"line 1: .*digest"):
        read(tmp_path)
    assert store.path.read_text() == text


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    with Store(tmp_path).writing() as store:
        store.append(a_record())
        with pytest.raises(UserError, match="another run is writing") as told, Store(tmp_path).writing():
            raise AssertionError("two writers")
        assert "\n" not in str(told.value)
        assert read(tmp_path) == by_digest([a_record()])
    with Store(tmp_path).writing() as again:
        assert len(again.records) == 1


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen]:
    """Run a process that holds the folder."""
    words = [sys.executable, "-c", HOLDER, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, cwd=ROOT, env=environment()) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def test_another_process_holds_the_folder_until_it_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(UserError, match="another run is writing"), Store(tmp_path).writing():
            raise AssertionError("two writers")
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Store(tmp_path).writing() as store:
            store.append(a_record())
    assert len(read(tmp_path)) == 1


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size`, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_in_one_line_and_costs_no_earlier_record(tmp_path: Path) -> None:
    store = written(tmp_path)
    size = store.path.stat().st_size
    full = pytest.raises(UserError, match=r"cannot write to .* all records before it are safe")
    with full as told, file_size_limit(size + 50), store.writing():
        store.append(a_record(a_spec(seed=8)))
    assert "\n" not in str(told.value)
    assert a_spec(seed=8).digest not in store.records
    with store.writing():
        assert len(store.records) == 3
        store.append(a_record(a_spec(seed=8)))
    assert len(read(tmp_path)) == 4


@pytest.mark.parametrize("place", ["file/toy", "/proc/nowhere", "x" * 300])
def test_a_folder_that_cannot_be_written_is_told_in_one_line(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to") as told, Store(tmp_path / place).writing():
        raise AssertionError("nothing can be written here")
    assert "\n" not in str(told.value)


def test_append_outside_writing_is_refused(tmp_path: Path) -> None:
    store = written(tmp_path)
    with pytest.raises(RuntimeError, match="not open"):
        store.append(a_record(a_spec(seed=9)))
