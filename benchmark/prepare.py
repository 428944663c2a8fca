"""Get data sets ready: find or download the official files, decode them once into memory-mapped tensors."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark import datasets, suites
from benchmark.commands import run_app
from benchmark.dataset import INCOMPLETE
from benchmark.errors import UserError, unknown

if TYPE_CHECKING:
    from benchmark.dataset import Dataset, Found
    from benchmark.places import Places

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def command(
    suite: Annotated[str, typer.Option(help="Suites whose data sets to prepare, by comma.")] = "",
    dataset: Annotated[str, typer.Option(help="Data sets to prepare, by comma; see --list.")] = "",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of official files; missing ones are downloaded to it. [default: data]")
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of decoded data. [default: $AUXILEARN_BENCHMARK_CACHE or ~/.cache/auxilearn-benchmark]"
        ),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Prepare drawn samples; needs no files.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read everything again and compare its digests.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the data sets with length, licence and page.")] = False,
) -> None:
    """Get data sets ready for `benchmark.run`, which otherwise does it by itself.

    Official files that are there are used as they are and never changed; a broken download goes on where it stopped.
    """
    if list_all:
        _list()
        return
    names = _chosen(suite, dataset)
    if not names:
        print(f"nothing to prepare: {suite} needs no files")
    from benchmark.places import DEFAULT_DATA, Places, default_cache

    places = Places(data_dir or DEFAULT_DATA, cache_dir or default_cache(), sample)
    for name in names:
        _prepare(datasets.load(name), places, verify=verify)


def _chosen(suite: str, dataset: str) -> list[str]:
    """Return the data sets that were asked for, each once."""
    chosen, names = _words(suite), _words(dataset)
    if not chosen and not names:
        raise UserError(f"--suite and --dataset are missing; data sets: {', '.join(datasets.names())}")
    for name in chosen:
        if name not in suites.names():
            raise unknown("suite", name, suites.names())
        names += suites.load(name).datasets
    for name in names:
        if name not in datasets.names():
            raise unknown("data set", name, datasets.names())
    return list(dict.fromkeys(names))


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _prepare(dataset: "Dataset", places: "Places", *, verify: bool) -> None:
    """Prepare one data set and print where it lies, how much it is, how long it took and under which licence."""
    from benchmark import cache
    from benchmark.acquire import acquire, obtain
    from benchmark.terminal import console

    begun = time.perf_counter()
    found = obtain(dataset, places)
    prepared = acquire(dataset, places)
    seconds = time.perf_counter() - begun
    samples = len(next(iter(prepared.tensors.values())))
    shapes = [
        " ".join((name, str(tensor.dtype).removeprefix("torch."), " x ".join(map(str, tensor.shape[1:])))).strip()
        for name, tensor in prepared.tensors.items()
    ]
    facts = {
        "licence": dataset.licence,
        "cite": dataset.citation,
        "from": "drawn SAMPLE, not data to report on" if prepared.sample else ", ".join(map(str, found.values())),
        "decoded to": f"{prepared.folder} ({prepared.nbytes / 1e6:,.1f} MB)",
        "holds": f"{samples:,} samples: {', '.join(shapes)}",
        **({INCOMPLETE: lack} if (lack := dataset.shortfall(prepared)) else {}),
        **dataset.facts(prepared),
        "content": prepared.fingerprint,
        "took": f"{seconds:.1f} s",
    }
    if verify:
        cache.verify(prepared.folder)
        files = () if prepared.sample else _against_published(dataset, found)
        facts["verified"] = "; ".join(["every array is as it was decoded", *files])
    out = console()
    out.print(f"{dataset.name}: {dataset.title}")
    for key, fact in facts.items():
        out.print(f"    {key}: {fact}", soft_wrap=True)


def _against_published(dataset: "Dataset", found: "Found") -> Iterator[str]:
    """Say of each file that is used whether it is, byte for byte, the published one of its name."""
    from benchmark.download import is_published

    published = {source.name: source for source in dataset.sources if source.checksum}
    for path in found.values():
        if path.name in published:
            same = is_published(published[path.name], path)
            yield f"{path.name} is{'' if same else ' not, byte for byte,'} the published file"


def _list() -> None:
    """Print every data set."""
    from benchmark.terminal import console, print_entry

    out = console()
    for name in datasets.names():
        found = datasets.load(name)
        sizes = [source.size for source in found.sources]
        known = f"{sum(filter(None, sizes)) / 1e6:,.0f} MB" if sizes and None not in sizes else "unknown"
        print_entry(out, name, found.title, {"download": known, "licence": found.licence, "page": found.homepage})


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.prepare"))
