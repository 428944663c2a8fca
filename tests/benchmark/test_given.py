"""What a command was given is said: by what its plan differs from the suite's own, and which methods have a value."""

from pathlib import Path

import pytest

from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import Toy

HERE = ("--suite", "toy", "--settings", "few", "--seeds", "1", "--workers", "0", "--wandb", "disabled")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("", ()),
        ("", ("--grid", "lr=0.1,0.01")),
        (": with lr 0.1", ("--set", "lr=0.1")),
        (": 1 epoch, the suite's own are 3; with lr 0.1", ("--set", "lr=0.1", "--epochs", "1")),
        (": with the control noise", ("--controls", "noise")),
        (": with stl.lr 0.3 or 0.1", ("--grid", "stl.lr=0.3,0.1")),
    ],
)
def test_the_table_of_a_command_says_by_what_its_plan_differs(
    plan: str, words: tuple[str, ...], toy: Toy, cli: Cli, tmp_path: Path
) -> None:
    ended = cli(*HERE, "--methods", "stl", "--results-dir", tmp_path, *words)
    title = f"Results of suite toy{plan}"
    assert ended.status == 0
    assert ended.out.splitlines()[0] == title
    assert (tmp_path / "toy" / "table.md").read_text().splitlines()[0] == f"# {title}"


def test_a_value_that_only_some_methods_have_is_said_to_be_theirs(toy: Toy, cli: Cli, tmp_path: Path) -> None:
    words = ("--set", "learning_rate=0.1", "--set", "lr=0.1", "--set", "gradnorm.alpha=0.5", "--dry-run")
    ended = cli(*HERE, "--methods", "stl,gradnorm,uncertainty", "--results-dir", tmp_path, *words)
    told = "learning_rate is given to gradnorm, uncertainty: no other method of this command has it\n"
    assert (ended.status, ended.err) == (0, told)
