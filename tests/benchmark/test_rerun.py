"""A method that is edited gives no old numbers unsaid: what changed is told, and its runs are made again when asked."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

import baselines
from auxilearn import task_means
from benchmark import record as record_module
from benchmark import session, sources, suites
from benchmark.errors import UserError
from benchmark.record import Store
from benchmark.report.reading import Request
from benchmark.report.session import run_report
from benchmark.sources import SOURCES, hashes, is_current, remark
from benchmark.statistics import SEED
from benchmark.storage import open_storage
from benchmark.tracking import forget
from benchmark.versions import of_process
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import ROOT, Toy, a_record, a_spec

EQUAL = "baselines/equal.py"
PLAN = ("--suite", "toy", "--settings", "few", "--methods", "stl,equal", "--seeds", "2", "--epochs", "2")
HERE = (*PLAN, "--grid", "lr=0.1,0.3", "--set", "weight_decay=0", "--workers", "0", "--wandb", "disabled")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Let no test see what another one found in files."""
    sources.hashes_of.cache_clear()
    yield
    sources.hashes_of.cache_clear()


def edit(monkeypatch: pytest.MonkeyPatch, weight: float) -> None:
    """Let `equal` have another file, and do what is written there."""

    def combine(self: Any, losses: Tensor) -> Tensor:
        means = task_means(losses)
        return means[0] + weight * means[1:].sum()

    monkeypatch.setattr(baselines.load("equal"), "combine", combine)
    monkeypatch.setattr(sources, "of_process", lambda: {**of_process(), EQUAL: f"by hand {weight}"})
    sources.hashes_of.cache_clear()


def by_method(folder: Path) -> dict[str, list[bytes]]:
    """Return the lines of records by method."""
    found: dict[str, list[bytes]] = {}
    for line in (folder / "toy" / "records.jsonl").read_bytes().splitlines():
        found.setdefault(json.loads(line)["spec"]["method"], []).append(line)
    return found


def told(line: bytes) -> tuple[str, Any]:
    """Return whose record a line is, and what it says of the training."""
    values = json.loads(line)
    return values["digest"], values["epochs"]


def test_files_are_those_of_the_classes_and_their_own_bases() -> None:
    found = hashes(type(suites.load("digits")), baselines.load("auxilearn-nonlinear"))
    assert {"baselines/auxilearn_nonlinear.py", "auxilearn/auxilearn.py", "benchmark/suites/digits.py"} <= set(found)
    assert not {"auxilearn/method.py", "benchmark/suite.py"} & set(found)
    for name, value in found.items():
        content = (ROOT / name).read_bytes().replace(b"\r\n", b"\n")
        assert hashlib.sha256(content).hexdigest().startswith(value)


def test_every_record_has_them(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    cli(*HERE, "--results-dir", tmp_path)
    for method, lines in by_method(tmp_path).items():
        for line in lines:
            assert json.loads(line)["environment"][SOURCES] == hashes(baselines.load(method))


def test_an_edit_is_said_and_its_runs_are_made_again_when_asked(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*HERE, "--results-dir", tmp_path)
    first = cli(*arguments)
    before = by_method(tmp_path)
    assert "changed" not in cli(*arguments).err
    edit(monkeypatch, weight=-2.0)
    unasked = cli(*arguments)
    said = f"runs made before {EQUAL} changed: 4 of equal; they count as they are, and benchmark.run makes them again"
    assert f"{said} with --rerun equal" in unasked.err
    assert unasked.out == first.out
    assert by_method(tmp_path) == before
    planned = cli(*arguments, "--rerun", "equal", "--dry-run")
    assert "8 runs, 4 left" in planned.out
    assert by_method(tmp_path) == before
    asked = cli(*arguments, "--rerun", "equal")
    assert (
        f"4 records moved to {tmp_path / 'toy' / 'replaced.jsonl'}; those that the plan needs are made again"
        in asked.err
    )
    after = by_method(tmp_path)
    assert after["stl"] == before["stl"]
    assert (tmp_path / "toy" / "replaced.jsonl").read_bytes().splitlines() == before["equal"]
    assert len(after["equal"]) == 4
    old, new = (dict(map(told, lines["equal"])) for lines in (before, after))
    assert all(new[digest] != epochs for digest, epochs in old.items() if digest in new)
    again = cli(*arguments, "--rerun", "equal")  # as after an interruption: what is new stays
    assert "changed" not in again.err
    assert "moved" not in again.err
    assert by_method(tmp_path) == after


def test_the_archive_of_the_search_has_the_new_scores(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna

    def archived() -> dict[str, list[float | None]]:
        storage = open_storage(None, tmp_path / "toy")
        found = optuna.get_all_study_summaries(storage)
        return {
            each.study_name.split("/")[2]: [
                trial.value for trial in optuna.load_study(study_name=each.study_name, storage=storage).get_trials()
            ]
            for each in found
        }

    arguments = (*HERE, "--results-dir", tmp_path)
    cli(*arguments)
    before = archived()
    edit(monkeypatch, weight=-2.0)
    cli(*arguments, "--rerun", "all")
    after = archived()
    scores = {
        method: [each["selected"]["validation"]["top1"] for line in lines if (each := json.loads(line))["test"] == {}]
        for method, lines in by_method(tmp_path).items()
    }
    assert after == scores
    assert after["stl"] == before["stl"]
    assert after["equal"] != before["equal"]


OTHERS = {
    "more seeds": ("--seeds", "3"),
    "another length": ("--epochs", "1"),
    "another setting": ("--settings", "many"),
    "another rate": ("--grid", "equal.lr=0.2,0.4"),
    "controls": ("--controls", "noise"),
    "a budget": ("--protocol", "equal-budget", "--trials", "2", "--sampler", "random"),
}


@pytest.mark.parametrize("words", OTHERS.values(), ids=OTHERS)
def test_only_runs_of_the_plan_are_moved(
    words: tuple[str, ...], toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*HERE, "--results-dir", tmp_path)
    cli(*arguments)
    own = {told(line)[0] for line in by_method(tmp_path)["equal"]}
    cli(*arguments, *words)
    others = [line for line in by_method(tmp_path)["equal"] if told(line)[0] not in own]
    assert others
    edit(monkeypatch, weight=-2.0)
    asked = cli(*arguments, "--rerun", "equal")
    moved = (tmp_path / "toy" / "replaced.jsonl").read_bytes().splitlines()
    kept = by_method(tmp_path)["equal"]
    assert not {*others} - {*kept} - ({*moved} if words[0] == "--seeds" else set())
    assert {told(line)[0] for line in moved} == own
    assert f"{len(own)} records moved" in asked.err


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_with_a_budget_proposes_as_if_it_were_the_first(
    sampler: str, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = ("--protocol", "equal-budget", "--trials", "12", "--sampler", sampler)
    plan = ("--suite", "toy", "--settings", "few", "--methods", "equal", "--seeds", "1", "--epochs", "1")
    words = (*plan, *budget, "--workers", "0", "--wandb", "disabled")
    cli(*words, "--results-dir", tmp_path / "one")
    edit(monkeypatch, weight=-2.0)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(session, "_check", kill)
        with pytest.raises(Killed):
            cli(*words, "--results-dir", tmp_path / "one", "--rerun", "equal")
    cli(*words, "--results-dir", tmp_path / "one", "--rerun", "equal")
    cli(*words, "--results-dir", tmp_path / "other")
    again, first = (dict(map(told, by_method(tmp_path / name)["equal"])) for name in ("one", "other"))
    assert again == first


def test_a_storage_that_fails_is_told_in_one_line_and_nothing_moves(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*HERE, "--results-dir", tmp_path, "--storage", f"sqlite:///{tmp_path / 'studies.db'}")
    cli(*arguments)
    before = by_method(tmp_path)
    edit(monkeypatch, weight=-2.0)

    def failing(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(session, "forget", failing)
    ended = cli(*arguments, "--rerun", "equal")
    assert ended.status == 2
    assert "the storage of --storage failed (RuntimeError)" in ended.err
    assert "secret" not in ended.err
    assert by_method(tmp_path) == before


def test_lines_are_added_after_a_torn_one_is_cut(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing():
        store.append(a_record(), a_record(a_spec(method="equal")))
    lines = store.path.read_bytes().splitlines()
    (tmp_path / "replaced.jsonl").write_text('{"digest":"torn')
    with store.writing(lambda records: list(records)[:1]):
        pass
    assert (tmp_path / "replaced.jsonl").read_bytes().splitlines() == lines[:1]
    assert store.path.read_bytes().splitlines() == lines[1:]


def test_a_link_to_records_stays_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    with store.writing():
        store.append(a_record())
    there = tmp_path / "there.jsonl"
    store.path.rename(there)
    store.path.symlink_to(there)
    with store.writing(list):
        pass
    assert store.path.is_symlink()
    assert there.read_bytes() == b""


@pytest.mark.parametrize("names", ["dwa", "nothing", "equal,nothing"])
def test_methods_that_do_not_run_are_refused(names: str, toy: Toy, cli: Cli, tmp_path: Path) -> None:
    ended = cli(*HERE, "--results-dir", tmp_path, "--rerun", names)
    assert ended.status == 2
    assert "unknown method to run again" in ended.err
    assert "choose one of: stl, equal, all" in ended.err
    assert not (tmp_path / "toy").exists()


def test_nothing_moves_for_a_method_that_cannot_be_built(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (*HERE, "--results-dir", tmp_path)
    cli(*arguments)
    before = by_method(tmp_path)
    edit(monkeypatch, weight=1.0)

    def broken(self: Any, problem: object) -> None:
        raise NameError("meens")

    monkeypatch.setattr(baselines.load("equal"), "__init__", broken)
    ended = cli(*arguments, "--rerun", "equal")
    assert (ended.status, "meens" in ended.err) == (2, True)
    assert by_method(tmp_path) == before


def test_a_move_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "toy")
    with store.writing():
        store.append(a_record(), a_record(a_spec(method="equal")))
    before = store.path.read_bytes()

    @contextmanager
    def failing(path: Path) -> Iterator[Path]:
        raise OSError(28, "No space left on device")
        yield path

    monkeypatch.setattr(record_module, "whole", failing)
    with pytest.raises(UserError, match="cannot write to"), store.writing(lambda records: list(records)[1:]):
        pass
    assert store.path.read_bytes() == before


def test_runs_are_mirrored_again_that_are_made_again(tmp_path: Path) -> None:
    one, other = a_record(), a_record(a_spec(method="equal"))
    ledger = tmp_path / "wandb" / "mirrored-offline"
    ledger.parent.mkdir()
    ledger.write_text(f"{one.spec.digest}\n{other.spec.digest}\n")
    forget(tmp_path, [one])
    assert ledger.read_text() == f"{other.spec.digest}\n"


@pytest.mark.parametrize("value", [None, [1], "text", {"baselines/\x1b[31m.py": "0"}])
def test_what_was_written_by_hand_is_told_as_plain_text_or_not_at_all(value: object) -> None:
    found = remark([a_record(environment={SOURCES: value})])
    assert "\x1b" not in found
    assert bool(found) == isinstance(value, dict)


def test_records_that_do_not_say_are_made_again_only_when_asked(toy: Toy) -> None:
    for environment in ({}, {SOURCES: None}):
        silent = a_record(environment=environment)
        assert remark([silent]) == ""
        assert not is_current(silent)
    assert is_current(a_record(environment={SOURCES: hashes(baselines.load("stl"))}))


def test_a_report_says_which_records_are_older_than_an_edit(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(*HERE, "--results-dir", tmp_path)
    request = Request("toy", False, "", (), (), SEED, False, tmp_path, tmp_path / "out")
    run_report(request)
    assert "changed" not in capfd.readouterr().err
    edit(monkeypatch, weight=-2.0)
    run_report(request)
    assert f"runs made before {EQUAL} changed: 4 of equal; they count as they are" in capfd.readouterr().err
