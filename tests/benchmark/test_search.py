"""Optuna's archive: each point once, killed trials resumed, rebuilt from records, open to Optuna afterwards."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from benchmark.campaign import Campaign, choose, study_name
from benchmark.errors import UserError
from benchmark.plan import Arm
from benchmark.record import Record
from benchmark.search import GridStudy, Outcome, Trial, UnarchivedGrid, propose_by_tpe
from benchmark.space import Range
from benchmark.storage import JOURNAL, open_storage
from tests.benchmark.helpers import Toy, a_failure, a_record, toy_arm

SPACE = {"lr": (0.1, 0.01, 0.001), "mode": ("a", "b"), "skip": (True, False)}
SIZE = 12


def study(folder: Path, *, maximize: bool = True, space: Any = SPACE) -> GridStudy:
    return GridStudy(open_storage(None, folder), "one", space, maximize=maximize)


def archived(folder: Path, name: str = "one") -> optuna.Study:
    """Open the journal as a user of Optuna does."""
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    return optuna.load_study(study_name=name, storage=storage)


def frozen(trial: Trial) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(trial.point.items()))


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("at_once", [1, 4, SIZE])
def test_each_point_once_with_its_value(at_once: int, maximize: bool, tmp_path: Path) -> None:
    given, told, waiting = study(tmp_path, maximize=maximize), {}, []
    while True:
        while len(waiting) < at_once and (trial := given.ask()):
            waiting.append(trial)
        if not waiting:
            break
        trial = waiting.pop()
        told[trial.number] = (trial.point, None if trial.number == 3 else trial.number / 10)
        given.tell(trial.number, told[trial.number][1])
    assert len({tuple(sorted(point.items())) for point, _ in told.values()}) == len(told) == SIZE
    assert {type(point["skip"]) for point, _ in told.values()} == {bool}
    opened = archived(tmp_path)
    assert opened.direction.name == ("MAXIMIZE" if maximize else "MINIMIZE")
    assert {trial.number: (trial.params, trial.value) for trial in opened.trials} == told
    assert [trial.number for trial in opened.trials if trial.state == TrialState.FAIL] == [3]
    assert sum(trial.state == TrialState.COMPLETE for trial in opened.trials) == SIZE - 1
    assert opened.best_trial.number == (SIZE - 1 if maximize else 0)
    assert study(tmp_path, maximize=maximize).ask() is None


def test_trials_of_a_killed_driver_are_resumed(tmp_path: Path) -> None:
    given = study(tmp_path)
    first = [given.ask() for _ in range(5)]
    asked = [trial for trial in first if trial]
    given.tell(asked[1].number, 0.5)
    again = study(tmp_path)
    left = again.unfinished()
    assert left == [trial for trial in asked if trial.number != 1]
    rest = []
    while trial := again.ask():
        rest.append(trial)
    assert len({frozen(trial) for trial in [asked[1], *left, *rest]}) == SIZE == 1 + len(left) + len(rest)
    for trial in [*left, *rest]:
        again.tell(trial.number, 0.1)
    assert study(tmp_path).unfinished() == []


@pytest.mark.parametrize("finished", [0, 3, SIZE - 1])
def test_a_trial_killed_between_its_creation_and_its_point_is_closed_and_costs_no_point(
    finished: int, tmp_path: Path
) -> None:
    given, points = study(tmp_path), []
    for _ in range(finished):
        trial = given.ask()
        assert trial is not None
        given.tell(trial.number, 0.0)
        points.append(frozen(trial))
    storage = open_storage(None, tmp_path)
    storage.create_new_trial(storage.get_study_id_from_name("one"))
    again = study(tmp_path)
    assert again.unfinished() == []
    assert archived(tmp_path).trials[finished].state == TrialState.FAIL
    while trial := again.ask():
        points.append(frozen(trial))
    assert len(set(points)) == len(points) == SIZE


def test_a_torn_last_line_and_a_lock_left_behind_stop_nobody(tmp_path: Path) -> None:
    given = study(tmp_path)
    trial = given.ask()
    assert trial is not None
    path = tmp_path / JOURNAL
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 4, "wor')
    path.with_name(path.name + ".lock").symlink_to(path)
    assert study(tmp_path).unfinished() == [trial]
    assert path.read_bytes().startswith(whole)
    again = study(tmp_path)
    again.tell(trial.number, 0.5)
    assert again.ask() is not None
    assert [found.value for found in archived(tmp_path).trials] == [0.5, None]


def test_a_damaged_journal_is_told_in_one_line(tmp_path: Path) -> None:
    study(tmp_path)
    path = tmp_path / JOURNAL
    path.write_text("no journal\n" + path.read_text())
    with pytest.raises(UserError, match="is damaged; remove it") as told:
        study(tmp_path)
    assert "\n" not in str(told.value)


def test_other_storages_serve_as_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    given = GridStudy(open_storage(url, tmp_path), "one", {"lr": (1.0, 2.0)}, maximize=True)
    for _ in range(2):
        trial = given.ask()
        assert trial is not None
        given.tell(trial.number, trial.point["lr"])  # pyright: ignore[reportArgumentType]
    assert given.ask() is None
    assert optuna.load_study(study_name="one", storage=url).best_value == 2.0
    assert not (tmp_path / JOURNAL).exists()


@pytest.mark.parametrize(
    "url", ["nonsense", "foo://u:secret@host/x", "postgresql://u:secret@127.0.0.1:1/x", "redis://:secret@127.0.0.1:1"]
)
def test_a_wrong_storage_is_told_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--storage cannot be opened") as told:
        open_storage(url, tmp_path)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [
        ("postgresql+psycopg2://u:secret@host/x", "psycopg2", "psycopg2-binary"),
        ("mysql://u:secret@host/x", "MySQLdb", "mysqlclient"),
        ("mysql+pymysql://u:secret@host/x", "pymysql", "pymysql"),
    ],
)
def test_a_missing_driver_is_named(
    url: str, module: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError) as told:
        open_storage(url, tmp_path)
    assert str(told.value) == (
        f"--storage cannot be opened: the driver {module} of its database is not installed; pip install {package}"
    )


def test_a_missing_folder_of_sqlite_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the folder of the SQLite file does not exist"):
        open_storage(f"sqlite:///{tmp_path}/none/studies.db", tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_optuna_the_grid_is_searched_in_order() -> None:
    points: list[dict[str, Any]] = [{"lr": 1.0}, {"lr": 2.0}]
    given = UnarchivedGrid(points)
    assert given.unfinished() == []
    assert [given.ask(), given.ask(), given.ask()] == [Trial(0, points[0]), Trial(1, points[1]), None]


def drive(arm: Arm, records: dict[str, Record], folder: Path, *, stop: int = 1000) -> int:
    """Run a campaign on a journal, at most `stop` cells; return how many were trained."""
    storage = open_storage(None, folder)
    given = Campaign([arm], records, lambda arm: GridStudy(storage, study_name(arm), arm.space, maximize=True))
    made = 0
    while made < stop and (spec := given.next_spec()):
        point = dict(spec.hyper)
        failed = spec.phase == "search" and point["lr"] == 0.1 and point["weight_decay"] == 0.0
        score = float(str(point["lr"])) + float(str(point["weight_decay"]))
        records[spec.digest] = a_failure(spec) if failed else a_record(spec, score=score)
        given.done(records[spec.digest])
        made += 1
    return made


def values(arm: Arm, folder: Path) -> dict[tuple[tuple[str, object], ...], float | None]:
    trials = archived(folder, study_name(arm)).trials
    assert all(trial.state.is_finished() for trial in trials)
    return {tuple(sorted(trial.params.items())): trial.value for trial in trials}


@pytest.mark.parametrize("stop", [0, 1, 3, 4, 5])
def test_a_deleted_journal_is_rebuilt_from_the_records_without_training(stop: int, toy: Toy, tmp_path: Path) -> None:
    arm, records = toy_arm(), {}
    assert drive(arm, records, tmp_path, stop=stop) == stop
    assert drive(arm, records, tmp_path) == 6 - stop
    before = values(arm, tmp_path)
    expected = {(0.1, 0.0): None, (0.1, 0.01): 0.1 + 0.01, (0.01, 0.0): 0.01, (0.01, 0.01): 0.02}
    assert before == {(("lr", lr), ("weight_decay", wd)): value for (lr, wd), value in expected.items()}
    assert choose(arm, records) == {"lr": 0.1, "weight_decay": 0.01}
    (tmp_path / JOURNAL).unlink()
    assert drive(arm, records, tmp_path) == 0
    assert values(arm, tmp_path) == before


def test_records_that_were_deleted_are_run_again(toy: Toy, tmp_path: Path) -> None:
    arm, records = toy_arm(), {}
    drive(arm, records, tmp_path)
    complete = dict(records)
    for point in (arm.points()[1], arm.points()[2]):
        del records[arm.spec(point).digest]
    drive(arm, records, tmp_path)
    assert records == complete


def test_tpe_goes_where_scores_are_good_and_not_where_runs_fail_or_are_under_way() -> None:
    space = {"lr": Range(0.0, 1.0)}
    known = {n: Outcome({"lr": n / 40}, finished=True, score=-abs(n / 40 - 0.3)) for n in range(40)}

    def near(before: Mapping[int, Outcome], place: float, *, maximize: bool = True) -> int:
        proposed = [propose_by_tpe(space, before, seed=seed, maximize=maximize)["lr"] for seed in range(40)]
        return sum(abs(float(str(value)) - place) < 0.15 for value in proposed)

    assert near(known, 0.3) > 35
    assert near(known, 0.3, maximize=False) < 5
    blocked = {60 + n: Outcome({"lr": 0.3 + n / 1000}) for n in range(-20, 20)}
    assert near({**known, **blocked}, 0.3) < near(known, 0.3), "constant liar"
    failed = {**known, **{n: known[n]._replace(score=None) for n in range(8, 17)}}
    assert near(failed, 0.3) < near(known, 0.3)
