"""A ninth method is one new file: it appears in the names, the list, the plan and the table."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import baselines
from benchmark import suites
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy, lines

SOURCE = '''"""A method that nobody wrote before."""

from torch import Tensor

from auxilearn import Method, Problem, task_means


class Ninth(Method):
    """A share of every auxiliary (nobody, 2026). Departures: none."""

    citation = "nobody, 2026"
    search_space = {"share": (0.25, 0.5)}

    def __init__(self, problem: Problem, *, share: float = 0.5) -> None:
        super().__init__(problem)
        self.share = share

    def combine(self, losses: Tensor) -> Tensor:
        means = task_means(losses)
        return means[0] + self.share * means[1:].sum()
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a second folder that the registry reads."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(plugins)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield plugins
    sys.modules.pop("baselines.ninth_method", None)
    if hasattr(baselines, "ninth_method"):
        delattr(baselines, "ninth_method")


def test_one_file_is_listed_planned_run_and_shown(toy: Toy, folder: Path, cli: Cli, tmp_path: Path) -> None:
    assert "ninth-method" not in baselines.names()
    (folder / "ninth_method.py").write_text(SOURCE)
    assert "ninth-method" in baselines.names()
    listed = cli("--list")
    assert listed.status == 0
    assert "ninth-method: A share of every auxiliary" in listed.out
    assert "searches: share 0.25, 0.5" in listed.out
    few = ("--suite", "toy", "--settings", "few", "--results-dir", tmp_path, "--workers", "0", "--wandb", "disabled")
    planned = cli(*few, "--methods", "all", "--dry-run")
    assert planned.status == 0
    assert "ninth-method searches lr 0.1, 0.01; share 0.25, 0.5; weight_decay 0.0, 0.01" in planned.out
    ended = cli(*few, "--methods", "stl,ninth-method")
    assert ended.status == 0
    ours = [line for line in lines(tmp_path, "toy") if line["spec"]["method"] == "ninth-method"]
    assert len(ours) == 2 * 2 * 2 + 2
    assert {line["status"] for line in ours} == {"ok"}
    assert {line["spec"]["hyper"]["share"] for line in ours} == {0.25, 0.5}
    for text in (ended.out, *((tmp_path / "toy" / f"table.{kind}").read_text() for kind in ("md", "csv", "tex"))):
        assert "ninth-method" in text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("class Ninth(:\n", "SyntaxError: invalid syntax (ninth_method.py, line 1)\n"),
        ("import no_such_module_anywhere\n", "No module named 'no_such_module_anywhere' (ninth_method.py:1)\n"),
        (SOURCE + "\n\nclass Tenth(Ninth):\n    pass\n", "exactly one public Method; it defines 2\n"),
        ("", "exactly one public Method; it defines 0\n"),
        ("raise RuntimeError('not today')\n", "not today"),
        ("\n1 / 0\n", "ZeroDivisionError: division by zero (ninth_method.py:2)\n"),
        ("raise SyntaxError('of its own')\n", "SyntaxError: of its own (ninth_method.py:1)\n"),
        ("raise ImportError('one\\ntwo')\n", "one two"),
    ],
)
@pytest.mark.parametrize("words", [("--list",), ("--suite", "toy", "--methods", "ninth-method")])
def test_a_file_that_cannot_be_loaded_is_one_line(
    words: tuple[str, ...], source: str, told: str, toy: Toy, folder: Path, cli: Cli, tmp_path: Path
) -> None:
    (folder / "ninth_method.py").write_text(source)
    ended = cli(*words, "--results-dir", tmp_path / "results")
    assert ended.status == 2
    assert ended.err.startswith("error: method 'ninth-method' cannot be loaded: ")
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "results").exists()
    assert ("--list" in words) == ("  uncertainty: " in ended.out)  # after it, in order of names


def test_all_that_cannot_be_listed_is_told_in_one_line_and_all_else_listed(
    toy: Toy, folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ninth_method.py").write_text("")
    monkeypatch.setattr(toy, "settings", None)
    ended = cli("--list")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("error: suite 'toy' cannot be used: TypeError: ")
    assert "; method 'ninth-method' cannot be loaded: " in ended.err
    for name in (*suites.names(), *baselines.names()):
        assert (f"\n  {name}: " in ended.out) == (name not in ("toy", "ninth-method")), name


def test_a_broken_file_does_not_stop_runs_of_others(toy: Toy, folder: Path, cli: Cli, tmp_path: Path) -> None:
    (folder / "ninth_method.py").write_text("class Ninth(:\n")
    ended = cli(
        *("--suite", "toy", "--settings", "few", "--set", "lr=0.1", "--set", "weight_decay=0", "--methods", "stl"),
        *("--workers", "0", "--wandb", "disabled", "--results-dir", tmp_path),
    )
    assert ended.status == 0, ended.err


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (('{"share"', '{"shore"'), "method 'ninth-method' would search 'shore', which its constructor does not take"),
        (('{"share": (0.25, 0.5)}', '{"share": 0.25}'), "would search 'share' over 0.25, not a tuple of values"),
        (('{"share": (0.25, 0.5)}', '{"share": ()}'), "would search 'share' over (), not a tuple of values"),
        (("(0.25, 0.5)", '(0.25, "a")'), "search_space of method 'ninth-method': share takes a finite number, not 'a'"),
        (
            ("(0.25, 0.5)", "(0.25, True)"),
            "search_space of method 'ninth-method': share takes a finite number, not 'true'",
        ),
        (("(0.25, 0.5)", "(torch.tensor(0.5),)"), "cannot be loaded: NameError: name 'torch' is not defined"),
        (('{"share": (0.25, 0.5)}', "None"), "has as search_space None, not a dictionary of tuples"),
        (("share: float = 0.5)", "share: float = float('nan'))"), "needs a plain, finite default for 'share', not nan"),
        (("share: float = 0.5)", "share: float)"), "needs a plain, finite default for 'share', not <class"),
        (
            ("share: float = 0.5)", "share: float = 0.5, more=(1,))"),
            "needs a plain, finite default for 'more', not (1,)",
        ),
        (("self.share = share", "raise SystemExit"), "cannot be used: SystemExit (ninth_method.py:16)"),
        (("self.share = share", "raise ValueError"), "ninth-method: ValueError (ninth_method.py:16)"),
        (("self.share = share", "raise PermissionError('only')"), "cannot be used: PermissionError: only (ninth_meth"),
        (
            ("    def combine", "    declines = lambda problem: 1\n\n    def combine"),
            "declines returned int, neither text",
        ),
        (("self.share = share", "self.share = shore"), "cannot be used: NameError: name 'shore' is not defined"),
        (
            ("    def combine", "    declines = lambda problem: 1 / 0\n\n    def combine"),
            "cannot be used: ZeroDivisionError: division by zero (ninth_",
        ),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_mistakes_in_a_file_are_told_before_any_training(
    more: tuple[str, ...], wrong: tuple[str, str], told: str, toy: Toy, folder: Path, cli: Cli, tmp_path: Path
) -> None:
    source = SOURCE.replace(*wrong)
    assert source != SOURCE
    (folder / "ninth_method.py").write_text(source)
    few = ("--suite", "toy", "--settings", "few", "--results-dir", tmp_path, "--workers", "0", "--wandb", "disabled")
    ended = cli(*few, "--methods", "ninth-method", *more)
    assert ended.status == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert not (tmp_path / "toy").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("return means[0]", "return means[0] + self.shore", "AttributeError: 'Ninth' object has no attribute 'shore'"),
        ("return means[0]", "means[0]", "TypeError: combine of Ninth returned NoneType, not a scalar tensor"),
        ("return means[0]", "return means", "TypeError: combine of Ninth returned shape (3,), not a scalar tensor"),
    ],
)
def test_what_is_wrong_in_a_step_is_told_of_the_plan_and_of_each_run(
    right: str, wrong: str, told: str, toy: Toy, folder: Path, cli: Cli, tmp_path: Path
) -> None:
    source = SOURCE.replace(right, wrong)
    (folder / "ninth_method.py").write_text(source)
    line = 1 + source[: source.index(wrong)].count("\n")
    few = ("--suite", "toy", "--settings", "few", "--results-dir", tmp_path, "--workers", "0", "--wandb", "disabled")
    planned = cli(*few, "--methods", "ninth-method", "--dry-run")
    assert (planned.status, planned.out) == (2, "")
    assert planned.err.startswith(f"error: method 'ninth-method' cannot be used: {told} (")
    assert (f"(ninth_method.py:{line})" in planned.err) == ("combine of" not in told)
    ended = cli(*few, "--methods", "ninth-method", "--set", "lr=0.1", "--set", "weight_decay=0", "--retries", "0")
    assert ended.status == 1
    assert {planned.err.endswith(f": {line['reason']}\n") for line in lines(tmp_path, "toy")} == {True}


def test_a_reason_to_decline_is_one_visible_line(toy: Toy, folder: Path, cli: Cli, tmp_path: Path) -> None:
    wrong = "    declines = lambda problem: 'a\\nb\\x1b[31m'\n\n    def combine"
    (folder / "ninth_method.py").write_text(SOURCE.replace("    def combine", wrong))
    few = ("--suite", "toy", "--settings", "few", "--results-dir", tmp_path, "--workers", "0", "--wandb", "disabled")
    ended = cli(*few, "--methods", "ninth-method", "--dry-run")
    assert ended.status == 0
    assert "ninth-method declines: a b\\x1b[31m" in ended.out


def test_a_file_that_became_wrong_leaves_others_their_table(toy: Toy, folder: Path, cli: Cli, tmp_path: Path) -> None:
    (folder / "ninth_method.py").write_text(SOURCE)
    few = ("--suite", "toy", "--settings", "few", "--results-dir", tmp_path, "--workers", "0", "--wandb", "disabled")
    assert cli(*few, "--methods", "stl,ninth-method").status == 0
    sys.modules.pop("baselines.ninth_method")
    (folder / "ninth_method.py").write_text(SOURCE.replace("(0.25, 0.5)", "0.25"))
    ended = cli(*few, "--methods", "equal")
    assert ended.status == 0
    told = "left out: method 'ninth-method' would search 'share' over 0.25, not a tuple of values\n"
    assert ended.err.endswith(told)
    text = (tmp_path / "toy" / "table.md").read_text()
    assert "| equal" in text
    assert "| stl" in text
    assert "ninth" not in text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("epochs", 0, "has as epochs 0, not a whole number from 1 on"),
        ("threads", "x", "has as threads 'x', not a whole number from 1 on"),
        ("grid", {"lr": (0.1,)}, "which does not say lr and weight_decay"),
        ("grid", {"lr": [0.1], "weight_decay": (0.0,)}, "has in its grid [0.1] for 'lr', not a tuple of plain values"),
        ("grid", None, "has as grid None"),
    ],
)
def test_a_suite_whose_grid_cannot_be_one_is_refused(
    name: str, value: object, told: str, toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, name, value)
    ended = cli("--suite", "toy", "--results-dir", tmp_path, "--dry-run")
    assert ended.status == 2
    assert ended.err.startswith("error: suite 'toy' ")
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_what_may_not_be_read_is_one_line(toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise PermissionError(13, "Permission denied", "somewhere/table.csv")

    monkeypatch.setattr(toy, "fingerprint", refuse)
    ended = cli("--suite", "toy", "--results-dir", tmp_path, "--dry-run")
    assert (ended.status, ended.err) == (2, "error: somewhere/table.csv: permission denied\n")


def test_mistakes_in_a_suite_are_one_line(toy: Toy, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> str:
        raise KeyError("no such column")

    monkeypatch.setattr(toy, "fingerprint", wrong)
    ended = cli("--suite", "toy", "--results-dir", tmp_path, "--dry-run")
    assert ended.status == 2
    assert ended.err.startswith("error: suite 'toy' cannot be used: KeyError: 'no such column' (test_plugins.py:")
    assert ended.err.count("\n") == 1
