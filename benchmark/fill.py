"""The command that makes missing runs, for footnotes of tables."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import budget
from benchmark.arm import Arm
from benchmark.attempts import RETRIES
from benchmark.commands import DEFAULT_RESULTS
from benchmark.places import DEFAULT_DATA, default_cache
from benchmark.plan import Options

RESULTS_PLACE = Path("RESULTS_DIR")
"""Stands for a folder of results whose name is nobody else's business."""


@dataclass(frozen=True)
class Fill:
    """How missing runs are made.

    Attributes:
        command: The command.
        remark: What has to be known besides.
    """

    command: str
    remark: str = ""

    @property
    def text(self) -> str:
        """What a note says, the command last."""
        return f"run{self.remark and f', {self.remark}'}: {self.command}"


Command = Callable[..., Fill]
"""Takes arms of one suite and says how their missing runs are made."""


def fill_command(*arms: Arm) -> Fill:
    """Return how the missing runs of arms of one suite are made under default options."""
    return Fill(shlex.join(_words(arms)))


def fill_in_report(options: Options, arms: Sequence[Arm], *, results: Path, references: Sequence[str] = ()) -> Fill:
    """Return how the missing runs of arms are made, as a report says it that may be sent to others.

    Args:
        options: Those of the plan.
        arms: Of one suite.
        results: Folder of the results; one outside the working directory is not named.
        references: Methods that all others are compared with; none for the default ones.
    """
    place = shown_place(results)
    remarks = [f"{RESULTS_PLACE} being the folder of these results"] if place == RESULTS_PLACE else []
    if any(arm.search is not None and arm.search.sampler == "tpe" for arm in arms):
        remarks.append("with the same --storage as before if there was one")
    return Fill(command_under(options, arms, results=place, references=references), " and ".join(remarks))


def shown_place(results: Path) -> Path:
    """Return a folder of results from the working directory on, or a word in its place where it is not below it."""
    here, full = Path.cwd(), (Path.cwd() / results).resolve()
    if not results.is_absolute() and ".." not in results.parts:
        return results
    return full.relative_to(here.resolve()) if full.is_relative_to(here.resolve()) else RESULTS_PLACE


def command_under(
    options: Options,
    arms: Sequence[Arm],
    *,
    results: Path = DEFAULT_RESULTS,
    references: Sequence[str] = (),
    retries: int = RETRIES,
) -> str:
    """Return the command that makes the missing runs of arms of one suite, under the same options."""
    words = _words(arms, options.trials)
    words += [f"--seeds={options.seeds}"] if options.seeds else []
    words += [f"--epochs={options.epochs}"] if options.epochs else []
    words += [f"--precision={options.precision}"] if options.precision != "auto" else []
    words += [f"--set={name}={value}" for name, value in options.fixed.items() if _concerns(name, arms)]
    words += [f"--grid={name}={','.join(values)}" for name, values in options.grid.items() if _concerns(name, arms)]
    words += [f"--retries={retries}"] if retries != RETRIES else []
    words += [f"--reference={','.join(references)}"] if references else []
    places = options.places
    words += ["--sample"] if places.sample else []
    words += [f"--data-dir={places.data_dir}"] if places.data_dir != DEFAULT_DATA else []
    words += [f"--cache-dir={places.cache_dir}"] if places.cache_dir != default_cache() else []
    words += [f"--weights={places.weights}"] if places.weights is not None else []
    words += [f"--results-dir={results}"] if results != DEFAULT_RESULTS else []
    return shlex.join(words)


def _concerns(name: str, arms: Sequence[Arm]) -> bool:
    """Return whether a hyper-parameter, `name` or `method.name`, is one of these arms'; a command refuses others."""
    method, _, bare = name.rpartition(".")
    return any(bare in (*arm.fixed, *arm.space) for arm in arms if method in ("", arm.method))


def _words(arms: Sequence[Arm], trials: int | None = None) -> list[str]:
    suite = arms[0].suite
    settings, methods = (dict.fromkeys(names) for names in ((a.setting for a in arms), (a.method for a in arms)))
    words = ["python", "-m", "benchmark.run", "--suite", suite.name]
    words += ["--settings", ",".join(settings), "--methods", ",".join(methods)]
    words += ["--controls", ",".join(suite.controls)] if suite.controls else []
    return words + budget.options(arms, trials).split()
