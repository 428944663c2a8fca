"""Failures are results: told with their reason, tried again, counted, and never in the way of the next run."""

import gc
import os
import signal
import weakref
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from distributed import Client, LocalCluster
from torch import nn

from benchmark import cell, engine, memory, session
from benchmark.attempts import Attempts
from benchmark.cluster import start
from benchmark.cluster.on_dask import OnDask
from benchmark.cluster.pool import Pool
from benchmark.data import Batch
from benchmark.driver import execute
from benchmark.engine import Resources
from benchmark.failures import closing_line, counts
from benchmark.places import Places
from benchmark.train import run
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, a_failure, a_record, a_spec, lines, next_of, results
from tests.benchmark.test_reasons import CUDA_TEXT

CPU = torch.device("cpu")
PLAN = ("--suite", "toy", "--settings", "few", "--set", "lr=0.1", "--set", "weight_decay=0", "--epochs", "2")
HERE = (*PLAN, "--methods", "stl", "--seeds", "2", "--workers", "0", "--wandb", "disabled")


def told(error: BaseException) -> str:
    """Return what a record says of an error that `failing` raises."""
    return f"{type(error).__name__}: {error} (test_failures.py:{failing.__code__.co_firstlineno + 7})"


def failing(toy: Toy, errors: Iterable[Exception | None]) -> list[int]:
    """Let measurements raise these errors in turn, None for none, and nothing after them; count them."""
    measure, coming, calls = toy.measure, iter(errors), [0]

    def measured(setting: str, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        calls[0] += 1
        if error := next(coming, None):
            raise type(error)(*error.args)  # an error that the test holds would hold the run
        return measure(setting, model, batches)

    toy.measure = measured
    return calls


def test_memory_of_a_run_that_failed_is_free_before_the_next_one(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[weakref.ref[nn.Module]] = []
    model, emptied = toy.model, []

    def watched(setting: str) -> Any:
        made = model(setting)
        made.itself = [made]  # pyright: ignore[reportArgumentType] - a cycle, which reference counts do not end
        models.append(weakref.ref(made))
        return made

    toy.model = watched
    failing(toy, [torch.OutOfMemoryError(CUDA_TEXT)])
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    gc.disable()
    try:
        record = run(a_spec(method="auxilearn-linear"))
        assert models
        assert [ref() for ref in models] == [None] * len(models)
    finally:
        gc.enable()
    assert record.status == "failed"
    assert record.reason.startswith("out of memory: tried to allocate 2.50 GiB, peak ")
    memory.release(torch.device("cuda"))
    assert emptied == [True]
    assert run(a_spec()).status == "ok"


def test_a_run_that_wants_to_end_the_process_is_a_failure(toy: Toy) -> None:
    error: Any = SystemExit(7)
    failing(toy, [error])
    record = run(a_spec())
    assert (record.status, record.reason) == ("failed", told(error))


def test_ctrl_c_in_a_run_is_none(toy: Toy) -> None:
    interrupt: Any = KeyboardInterrupt()
    failing(toy, [interrupt])
    with pytest.raises(KeyboardInterrupt):
        run(a_spec())


BROKEN = OSError("the disk is away")


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_run_that_fails_is_tried_again_as_often_as_asked(retries: int, toy: Toy, cli: Cli, tmp_path: Path) -> None:
    failing(toy, [BROKEN] * 3)  # each attempt ends with its first measurement
    arguments = (*HERE, "--results-dir", tmp_path)
    ended = cli(*arguments, "--retries", str(retries))
    found = lines(tmp_path, "toy")
    assert len(found) == 2, "one record a run, whatever the number of attempts"
    attempts = {0: [1, 1], 1: [2, 2], 3: [4, 1]}[retries]
    statuses = {0: ["failed"] * 2, 1: ["failed", "ok"], 3: ["ok", "ok"]}[retries]
    assert [line["attempts"] for line in found] == attempts
    assert [line["status"] for line in found] == statuses
    assert [line["reason"] for line in found] == [
        told(BROKEN) if failed != "ok" or count > 1 else "" for failed, count in zip(statuses, attempts, strict=True)
    ]
    assert ended.err.count("tried again: stl in few, final run ") == min(3, 2 * retries)
    assert ended.status == (1 if "failed" in statuses else 0)
    if retries == 1:
        assert "failed (attempt 1 of 2), tried again: stl in few" in ended.err
        hint = "the table has the reasons, and the same command tries them again"
        assert ended.err.splitlines()[-1] == f"1 of 2 runs failed, the last: {told(BROKEN)}; {hint}"
        assert f"1 of 2 final runs failed ({told(BROKEN)})" in ended.out
    again = cli(*arguments)
    assert again.status == 0
    assert [line["status"] for line in lines(tmp_path, "toy")].count("ok") == 2
    assert cli(*arguments).err == ""


def test_a_run_that_diverges_is_a_result_and_never_tried_again(
    toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "measure", lambda *_: {"top1": float("nan"), "top2": 0.0})
    arguments = (*HERE, "--results-dir", tmp_path, "--retries", "5")
    ended = cli(*arguments)
    assert ended.status == 0
    assert "tried again" not in ended.err
    assert [(line["status"], line["attempts"]) for line in lines(tmp_path, "toy")] == [("diverged", 1)] * 2
    assert "2 of 2 final runs diverged (the first: top1 is nan)" in ended.out
    assert cli(*arguments).err == ""
    assert len(results(tmp_path, "toy")) == 2


def test_search_runs_without_a_result_stand_at_the_number_of_trials(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    failing(toy, [None, None, BROKEN])  # two epochs a run: the second search run fails
    words = ("--suite", "toy", "--settings", "few", "--methods", "stl", "--grid", "lr=0.1,0.3,0.5", "--epochs", "2")
    more = ("--set", "weight_decay=0", "--retries", "0", "--workers", "0", "--wandb", "disabled")
    ended = cli(*words, *more, "--results-dir", tmp_path)
    assert ended.status == 1
    assert "3 [1] │" in ended.out
    assert f"[1] stl in few: 1 of 3 search runs failed ({told(BROKEN)})" in ended.out


def test_counts_by_status() -> None:
    diverged = a_record(a_spec(seed=3), status="diverged", reason="loss is nan")
    pruned = a_record(a_spec(seed=4), status="pruned", reason="a rule")
    assert counts([a_record(), None], 6, "search runs") == ""
    told = counts([a_record(), diverged, pruned, diverged, None, a_failure(a_spec())], 6, "search runs")
    assert told == (
        "2 of 6 search runs diverged (the first: loss is nan); 1 of 6 search runs pruned; "
        "1 of 6 search runs failed (it broke)"
    )
    assert closing_line([a_failure(a_spec())], 9).startswith("1 of 9 runs failed, the last: it broke; ")


def test_deaths_count_as_attempts() -> None:
    attempts = Attempts(1)
    killed = attempts.counted(a_record(status="failed", reason="killed", attempts=11))
    assert not attempts.again(killed)
    first = attempts.counted(a_failure(a_spec(), "once"))
    assert attempts.again(first)
    assert attempts.text(first) == " (attempt 1 of 2)"
    second = attempts.counted(a_failure(a_spec(), "twice"))
    assert (second.attempts, second.reason) == (2, "twice")
    assert not attempts.again(second)
    assert attempts.counted(a_record()) == a_record(), "the next run of that digest begins anew"


@pytest.fixture
def in_threads() -> Iterator[Client]:
    """Return a client of a cluster in this process, which has the toy suite."""
    settings: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with LocalCluster(**settings) as cluster, Client(cluster) as client:
        yield client


def test_on_dask_a_second_attempt_is_a_run_and_not_the_memory_of_the_first(toy: Toy, in_threads: Client) -> None:
    calls = failing(toy, [BROKEN, BROKEN])
    pool = Pool(in_threads, "cpu", print)
    pool.open()
    cluster = OnDask(pool, Resources())
    found = []
    for _ in range(3):
        cluster.submit(a_spec())
        found.append(next_of(cluster).status)
    pool.close()
    assert found == ["failed", "failed", "ok"]
    assert calls[0] == 1 + 1 + 3


def dying(spec: dict[str, Any], *rest: Any) -> dict[str, Any]:
    """End the process of a worker, as the system does, by the cell that it is given."""
    os.kill(os.getpid(), signal.SIGKILL)
    return spec


def test_a_worker_that_dies_too_often_is_a_failed_run_in_plain_words(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(start.CONFIG, "distributed.scheduler.allowed-failures", 0)
    monkeypatch.setattr(engine, "DEATHS_ALLOWED", 0)
    monkeypatch.setattr(session, "execute", partial(execute, start=partial(engine.start, cell=dying)))
    words = ("--suite", "digits", "--settings", "5-shot", "--methods", "stl", "--seeds", "1", "--workers", "1")
    more = ("--set", "lr=0.01", "--set", "weight_decay=0.0005", "--wandb", "disabled", "--retries", "0")
    ended = cli(*words, *more, "--results-dir", tmp_path)
    assert ended.status == 1
    (line,) = lines(tmp_path)
    assert (line["status"], line["attempts"]) == ("failed", 1)
    assert line["reason"].startswith(
        "its worker process died 1 times while nothing else ran, as when the system ends one for want of"
    )
    assert "Killed" not in ended.out + ended.err


def test_a_process_whose_device_a_run_has_taken_away_runs_no_other(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    class Left(BaseException):
        """The process has ended."""

    def leave(status: int) -> None:
        raise Left

    monkeypatch.setattr(cell, "_lost", set())
    monkeypatch.setattr(cell.os, "_exit", leave)
    failing(toy, [RuntimeError("CUDA error: device-side assert triggered")] * 2)
    arguments = (a_spec().to_json(), "cpu", Places())
    assert cell.run_cell(*arguments)["status"] == "failed"
    monkeypatch.setattr(memory, "answers", lambda device: False)
    assert cell.run_cell(*arguments)["status"] == "failed", "the record of the run that did it is kept"
    with pytest.raises(Left):
        cell.run_cell(*arguments)


def test_whether_a_device_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(device: torch.device) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    assert memory.answers(CPU)
    monkeypatch.setattr(torch.cuda, "synchronize", fall)
    assert memory.answers(CPU)
    assert not memory.answers(torch.device("cuda"))
