"""Commands leave what they asked for beside the records: once each, whole or not at all, and read with care."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UserError
from benchmark.plan import Options, make_plan
from benchmark.planned import PLANS, Planned, keep, read_plans
from benchmark.report.reading import Request, load
from benchmark.report.session import page_source, run_report
from benchmark.spec import PROTOCOL
from benchmark.statistics import SEED
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy

SHORT = ("--suite", "toy", "--settings", "few", "--epochs", "1", "--workers", "0", "--wandb", "disabled")


def a_plan(**changes: Any) -> Planned:
    """Return what a command asked for."""
    options = Options("toy", methods=("stl", "equal"), grid={"lr": ("0.1", "0.2")}, fixed={"equal.lr": "0.3"})
    return replace(Planned.of(options, make_plan(options)), **changes)


def test_a_plan_is_read_as_it_was_kept(toy: Toy, tmp_path: Path) -> None:
    plans = [a_plan(), a_plan(trials=4, sampler="random", sampler_seed=1, pruner="median"), a_plan(controls=("noise",))]
    for plan in (*plans, *plans):
        keep(plan, tmp_path)
    assert read_plans(tmp_path / PLANS) == plans
    assert len((tmp_path / PLANS).read_text().splitlines()) == 3


def test_a_plan_says_what_its_command_was_given(toy: Toy) -> None:
    plan = a_plan()
    assert plan.methods == {"few": ("stl", "equal"), "many": ("stl", "equal")}
    assert plan.values == {"lr": ("0.1", "0.2"), "equal.lr": ("0.3",)}
    assert (plan.seeds, plan.epochs, plan.data, plan.protocol) == (2, 3, "toy-1", PROTOCOL)


def test_a_line_that_was_being_written_is_passed_over_and_replaced(toy: Toy, tmp_path: Path) -> None:
    keep(a_plan(), tmp_path)
    with (tmp_path / PLANS).open("a") as file:
        file.write('{"suite":"to')
    assert read_plans(tmp_path / PLANS) == [a_plan()]
    keep(a_plan(seeds=3), tmp_path)
    assert read_plans(tmp_path / PLANS) == [a_plan(), a_plan(seeds=3)]


def test_no_file_is_no_plan_and_another_protocol_is_not_ours(toy: Toy, tmp_path: Path) -> None:
    assert read_plans(tmp_path / PLANS) == []
    assert read_plans(tmp_path / "records.jsonl" / PLANS) == []
    line = {**asdict(a_plan(protocol=PROTOCOL + 1)), "more": 1}
    (tmp_path / PLANS).write_text(json.dumps(line) + "\n")
    assert read_plans(tmp_path / PLANS) == []


def test_a_value_that_is_not_one_line_is_kept_and_read(toy: Toy, tmp_path: Path) -> None:
    plan = a_plan(values={"held_out": ("tr\x07ain",)})
    keep(plan, tmp_path)
    assert read_plans(tmp_path / PLANS) == [plan]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seeds": 0}, "seeds is no whole number from 1"),
        ({"seeds": True}, "seeds is no whole number from 1"),
        ({"epochs": 2.5}, "epochs is no whole number from 1"),
        ({"sampler_seed": -1}, "sampler_seed is no whole number from 0"),
        ({"trials": "4"}, "trials is no whole number from 1"),
        ({"protocol": None}, "protocol is no whole number from 1"),
        ({"sampler": "luck"}, "sampler is none of: tpe, random"),
        ({"pruner": "best"}, "pruner is none of: median"),
        ({"precision": "half"}, "precision is none of: "),
        ({"precision": ["auto"]}, "precision is none of: "),
        ({"controls": ["loud"]}, "controls that are not known"),
        ({"methods": {}}, "it has no methods"),
        ({"methods": ["stl"]}, "not by name"),
        ({"methods": {"few": []}}, "a setting without methods"),
        ({"methods": {"few": [1]}}, "a list of names or values is none"),
        ({"values": {"lr": []}}, "a hyper-parameter without values"),
        ({"values": {"lr\n": ["0.1"]}}, "a name is not one line of visible text"),
        ({"declined": {"few": "no"}}, "reasons of methods are not by name"),
        ({"declined": {"few": {"stl": 1}}}, "a list of names or values is none"),
        ({"data": 1}, "a list of names or values is none"),
        ({"more": 1}, "other parts"),
    ],
)
def test_a_line_that_no_command_wrote_is_refused_by_number(
    toy: Toy, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    lines = [asdict(a_plan()), asdict(a_plan()) | change]
    (tmp_path / PLANS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match=rf"plans\.jsonl, line 2: not a plan \(.*{why}.*\); mend or remove that line"):
        read_plans(tmp_path / PLANS)


@pytest.mark.parametrize("text", ["[]", "{", "null", "\ufffd", "[" * 100_000])
def test_a_line_that_is_no_plan_at_all_is_refused(toy: Toy, tmp_path: Path, text: str) -> None:
    (tmp_path / PLANS).write_text(text + "\n")
    with pytest.raises(UserError, match=r"plans\.jsonl, line 1: not a plan"):
        read_plans(tmp_path / PLANS)


def test_a_file_that_cannot_be_read_or_written_ends_in_one_line(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / PLANS).mkdir()
    with pytest.raises(
        UserError,
        match=r"cannot read .*plans\.jsonl \(Is a directory\); mend it, move it away or use another --results-dir",
    ):
        keep(a_plan(), tmp_path)


def test_a_run_leaves_its_plan_once_and_a_dry_run_and_a_refused_one_leave_none(
    toy: Toy, cli: Cli, tmp_path: Path
) -> None:
    here = (*SHORT, "--results-dir", tmp_path, "--methods", "stl", "--seeds", "1", "--set", "lr=0.1")
    path = tmp_path / "toy" / PLANS
    assert cli(*here, "--set", "weight_decay=0", "--dry-run").status == 0
    assert cli(*here, "--set", "weight_decay=-1").status == 2
    assert not path.exists()
    for _ in range(2):
        assert cli(*here, "--set", "weight_decay=0").status == 0
    (plan,) = read_plans(path)
    assert (plan.methods, plan.seeds, plan.epochs) == ({"few": ("stl",)}, 1, 1)
    assert plan.values == {"lr": ("0.1",), "weight_decay": ("0",)}


def test_a_command_that_is_refused_once_the_folder_is_held_leaves_no_line(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    here = (*SHORT, "--results-dir", tmp_path, "--set", "lr=0.1", "--set", "weight_decay=0", "--methods")
    assert cli(*here, "stl", "--seeds", "1").status == 0
    before = (tmp_path / "toy" / PLANS).read_bytes()
    ended = cli(*here, "stl,equal", "--seeds", "2", "--storage", "bad://here")
    assert ended.status == 2
    assert (tmp_path / "toy" / PLANS).read_bytes() == before


def test_a_damaged_file_of_plans_moves_no_record_away(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    here = (*SHORT, "--results-dir", tmp_path, "--methods", "stl", "--seeds", "1", "--set", "lr=0.1")
    here = (*here, "--set", "weight_decay=0")
    assert cli(*here).status == 0
    lines = [json.loads(line) for line in (tmp_path / "toy" / "records.jsonl").read_text().splitlines()]
    for line in lines:
        line["environment"].pop("sources", None)
    (tmp_path / "toy" / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = (tmp_path / "toy" / "records.jsonl").read_bytes()
    (tmp_path / "toy" / PLANS).write_text("oh\n")
    assert cli(*here, "--rerun", "stl").status == 2
    assert (tmp_path / "toy" / "records.jsonl").read_bytes() == before


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_damaged_file_of_plans_stops_a_run_before_its_work(
    toy: Toy, cli: Cli, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / PLANS).write_text("oh\n")
    ended = cli(*SHORT, "--results-dir", tmp_path, "--methods", "stl", "--seeds", "1", "--set", "lr=0.1", *more)
    assert ended.status == 2
    assert "plans.jsonl, line 1: not a plan" in ended.err
    assert (tmp_path / "toy" / PLANS).read_text() == "oh\n"
    records = tmp_path / "toy" / "records.jsonl"
    assert not (records.exists() and records.read_text())


def test_a_report_shows_what_commands_asked_for(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    here = (*SHORT, "--results-dir", tmp_path, "--set", "weight_decay=0")
    for more in (
        ("--methods", "stl", "--grid", "lr=0.1,0.2", "--seeds", "1"),
        ("--methods", "stl", "--set", "lr=0.2", "--seeds", "1"),
        ("--methods", "equal", "--set", "lr=0.2", "--set", "equal.weight_decay=0.1", "--seeds", "2"),
    ):
        assert cli(*here, *more).status == 0
    request = Request("toy", False, "", (), (), SEED, False, tmp_path, None)
    run_report(request)
    found = page_source(request, "toy", load(request)["toy"]).plans
    assert [plan.results.title.partition("; ")[2] for plan in found] == [
        "with lr 0.1 or 0.2, weight_decay 0.0",
        "with weight_decay 0.0, lr 0.2, equal.weight_decay 0.1",
    ]
    assert [[(arm.method, arm.seeds) for arm in plan.arms] for plan in found] == [
        [("stl", 1)],
        [("stl", 1), ("equal", 2)],
    ]
    assert all(row.state == "measured" for plan in found for row in plan.results.rows)


def test_reports_of_several_folders_know_the_commands_of_all(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("hers", "his")]
    for folder, method in zip(folders, ("stl", "equal"), strict=True):
        here = (*SHORT, "--results-dir", folder, "--set", "lr=0.1", "--set", "weight_decay=0")
        assert cli(*here, "--methods", method, "--seeds", "1").status == 0
    request = Request("", False, "", tuple(folders), (), SEED, False, tmp_path, tmp_path / "both")
    (plan,) = page_source(request, "toy", load(request)["toy"]).plans
    assert [(arm.method, arm.seeds) for arm in plan.arms] == [("stl", 1), ("equal", 1)]
