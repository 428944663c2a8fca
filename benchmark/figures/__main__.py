"""Figures that need a trained network: a recorded run is trained again, compared with its record, and drawn."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from benchmark import suites
from benchmark.commands import DEFAULT_RESULTS, run_app
from benchmark.errors import UserError, unknown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmark.figures.retrain import Retrained
    from benchmark.places import Places
    from benchmark.record import Record

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Kind(NamedTuple):
    """Where a figure of the paper comes from unless others are asked for."""

    suite: str
    method: str
    text: str


KINDS = {
    "pixel-weights": Kind("nyuv2", "auxilearn-convnet", "loss images and the weight of each pixel"),
    "surrogate": Kind("nyuv2", "auxilearn-nonlinear", "polynomial surrogate of the combiner over epochs"),
    "auxiliary-size": Kind("cub", "auxilearn-nonlinear", "test result against the size of the auxiliary set"),
    "embedding": Kind("cifar10", "auxilearn", "t-SNE of generated labels of two classes"),
}

SIZES = (10, 20, 50, 100, 150, 200)
"""Of the auxiliary set in the paper's figure of CUB."""


@app.command()
def command(
    figure: Annotated[str, typer.Argument(help="; ".join(f"{name}: {kind.text}" for name, kind in KINDS.items()))],
    suite: Annotated[str | None, typer.Option(help="Suite of the run. [default: the paper's]")] = None,
    setting: Annotated[str, typer.Option(help="Its setting. [default: the first one with a run]")] = "",
    method: Annotated[str | None, typer.Option(help="Its method. [default: the paper's]")] = None,
    seed: Annotated[int | None, typer.Option(help="Its seed. [default: the lowest]")] = None,
    classes: Annotated[str, typer.Option(help="Two classes by comma, for embedding. [default: frog,deer]")] = "",
    sizes: Annotated[str, typer.Option(help="Sizes by comma, for auxiliary-size.")] = ",".join(map(str, SIZES)),
    sample: Annotated[bool, typer.Option("--sample", help="Draw a run on drawn samples, which is no result.")] = False,
    device: Annotated[str, typer.Option(help="Torch device; the CPU repeats runs of the CPU bit by bit.")] = "cpu",
    results_dir: Annotated[Path, typer.Option(help="Folder of the results.")] = DEFAULT_RESULTS,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of official files. [default: data]")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="Folder of decoded data. [default: as benchmark.run]")] = None,
    weights: Annotated[str | None, typer.Option(help="First weights, as they were given to benchmark.run.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write to. [default: that of the records]")] = None,
) -> None:
    """Train a recorded final run again, say whether its numbers came out, and draw what records do not hold."""
    if figure not in KINDS:
        raise unknown("figure", figure, KINDS)
    kind = KINDS[figure]
    name = suite or kind.suite
    if name not in suites.names():
        raise unknown("suite", name, suites.names())
    if classes and figure != "embedding":
        raise UserError(f"--classes is for embedding, not for {figure}")
    from benchmark.figures.retrain import chosen_record
    from benchmark.places import DEFAULT_DATA, Places, default_cache
    from benchmark.record import Store
    from benchmark.session import check_device

    check_device(device)
    store = Store(results_dir / (name + "-sample" * sample))
    store.read()
    wanted = method or kind.method
    record = chosen_record(
        list(store.records.values()),
        setting=setting,
        method=wanted,
        seed=seed,
        where=str(store.path),
        hint=f"python -m benchmark.run --suite {name} --methods {wanted}{' --sample' * sample} makes them",
    )
    places = Places(data_dir or DEFAULT_DATA, cache_dir or default_cache(), sample, weights)
    if figure == "auxiliary-size":
        same = [r for r in store.records.values() if _repeats(r, record) and seed in (None, r.spec.seed)]
        _write_sizes(same, _numbers(sizes), places, device, output or store.folder)
        return
    chosen = tuple(word.strip() for word in classes.split(",")) if classes else ()
    _write(figure, record, places, device, chosen, output or store.folder)


def _write(
    figure: str, record: "Record", places: "Places", device: str, classes: tuple[str, ...], folder: Path
) -> None:
    """Draw and write a figure, and print what was done."""
    from benchmark.figures.style import save, style
    from benchmark.spec import is_sample

    spec = record.spec
    print(f"training {spec.suite} {spec.setting} {spec.method} seed {spec.seed} ({spec.digest}) again", flush=True)
    with style(math=False):
        drawn, again = _draw(figure, record, places, device, classes)
        print(again.note)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written = save(drawn, folder, figure.replace("-", "_"), sample=is_sample(spec.data))
        except OSError as error:
            raise UserError(f"cannot write to {folder} ({error.strerror}); use another --output") from None
    for name in written:
        print(folder / name)


def _repeats(one: "Record", other: "Record") -> bool:
    """Return whether two successful runs differ in their seed alone."""
    return one.status == "ok" and dataclasses.replace(one.spec, seed=other.spec.seed) == other.spec


def _numbers(text: str) -> list[int]:
    try:
        return sorted({int(word) for word in text.split(",")})
    except ValueError:
        raise UserError(f"--sizes takes whole numbers by comma, not {text!r}") from None


def _write_sizes(
    records: "Sequence[Record]", sizes: "Sequence[int]", places: "Places", device: str, folder: Path
) -> None:
    """Draw and write the figure of sizes and its numbers."""
    from benchmark.figures.sizes import auxiliary_sizes
    from benchmark.figures.style import save, style
    from benchmark.files import write_whole
    from benchmark.spec import is_sample
    from benchmark.text import spreadsheet

    with style(math=False):
        drawn, numbers = auxiliary_sizes(records, sizes, places, device=device)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "auxiliary_size.csv", numbers.map(spreadsheet).to_csv(index=False))
            written = save(drawn, folder, "auxiliary_size", sample=is_sample(records[0].spec.data))
        except OSError as error:
            raise UserError(f"cannot write to {folder} ({error.strerror}); use another --output") from None
    for name in ("auxiliary_size.csv", *written):
        print(folder / name)


def _draw(
    figure: str, record: "Record", places: "Places", device: str, classes: tuple[str, ...]
) -> "tuple[Figure, Retrained]":
    if figure == "pixel-weights":
        from benchmark.figures.pixels import pixel_weights

        return pixel_weights(record, places, device=device)
    if figure == "surrogate":
        from benchmark.figures.surrogate import surrogates

        return surrogates(record, places, device=device)
    from benchmark.figures.embedding import embeddings

    return embeddings(record, places, device=device, classes=classes)


if __name__ == "__main__":
    sys.exit(run_app(app, "python -m benchmark.figures"))
