"""The command that makes missing runs, for footnotes of tables."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark import budget
from benchmark.arm import Arm
from benchmark.attempts import RETRIES
from benchmark.commands import DEFAULT_RESULTS
from benchmark.places import DEFAULT_DATA, default_cache
from benchmark.plan import Options

Command = Callable[..., str]
"""Takes arms of one suite and says how their missing runs are made."""


def fill_command(*arms: Arm) -> str:
    """Return the command that makes the missing runs of arms of one suite, under default options."""
    return shlex.join(_words(arms))


def command_under(
    options: Options,
    arms: Sequence[Arm],
    *,
    results: Path = DEFAULT_RESULTS,
    references: Sequence[str] = (),
    retries: int = RETRIES,
) -> str:
    """Return the command that makes the missing runs of arms of one suite, under the same options."""
    words = _words(arms)
    words += [f"--seeds={options.seeds}"] if options.seeds else []
    words += [f"--epochs={options.epochs}"] if options.epochs else []
    words += [f"--precision={options.precision}"] if options.precision != "auto" else []
    words += [f"--set={name}={value}" for name, value in options.fixed.items()]
    words += [f"--grid={name}={','.join(values)}" for name, values in options.grid.items()]
    words += [f"--retries={retries}"] if retries != RETRIES else []
    words += [f"--reference={','.join(references)}"] if references else []
    places = options.places
    words += ["--sample"] if places.sample else []
    words += [f"--data-dir={places.data_dir}"] if places.data_dir != DEFAULT_DATA else []
    words += [f"--cache-dir={places.cache_dir}"] if places.cache_dir != default_cache() else []
    words += [f"--weights={places.weights}"] if places.weights is not None else []
    words += [f"--results-dir={results}"] if results != DEFAULT_RESULTS else []
    return shlex.join(words)


def _words(arms: Sequence[Arm]) -> list[str]:
    suite = arms[0].suite
    settings, methods = (dict.fromkeys(names) for names in ((a.setting for a in arms), (a.method for a in arms)))
    words = ["python", "-m", "benchmark.run", "--suite", suite.name]
    words += ["--settings", ",".join(settings), "--methods", ",".join(methods)]
    words += ["--controls", ",".join(suite.controls)] if suite.controls else []
    return words + budget.options(arms).split()
