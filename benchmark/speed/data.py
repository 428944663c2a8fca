"""How fast inputs come: augmented batches from data decoded once against a DataLoader over the original files."""

import statistics
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import pandas as pd
import torch

from benchmark.markdown import markdown
from benchmark.session import check_device
from benchmark.speed import rows
from benchmark.speed.pipelines import BATCH, CROP, HEIGHT, WIDTH, decoded, draw_originals, one_by_one, whole_batches
from benchmark.speed.timing import origin, provenance, ratio, seconds_in_turns
from benchmark.terminal import console

FILE = Path("speed") / "data.csv"
"""Where in the folder of results the speeds are."""


@dataclass(frozen=True)
class Speed(rows.Row):
    """How fast inputs come on one machine, in images a second.

    Attributes:
        images: Number of images.
        workers: Processes of the DataLoader.
        ours: From data decoded once, in the training process.
        loader: From a DataLoader over the original files.
        ratio: Of the two, the median over the turns.
        lowest: Least ratio of a turn.
        highest: Largest ratio of a turn.
        decoding: When decoding once.
        epochs_to_pay: Epochs after which decoding once has paid off; None where it never does.
        kilobytes: Mean length of an original.
        turns: Number of epochs that were timed of each.
    """

    called: ClassVar[str] = "speeds"

    images: int
    workers: int
    ours: float | None
    loader: float | None
    ratio: float | None
    lowest: float | None
    highest: float | None
    decoding: float | None
    epochs_to_pay: float | None
    kilobytes: float | None
    turns: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What is measured."""
        return self.device, self.images, self.workers


def report(*, images: int, repeats: int, workers: int, device: str, path: Path) -> None:
    """Measure, put the speeds into a file and print them.

    Args:
        images: Number of original files that are drawn.
        repeats: Epochs to time of each way, in turns.
        workers: Processes of the DataLoader.
        device: A device as of the command line.
        path: The file; speeds of other machines and sizes stay in it.
    """
    where = torch.device(check_device(device))
    torch.set_num_threads(1)
    found = measure(images=images, repeats=repeats, workers=workers, device=where)
    rows.add(path, [found], Speed)
    out = console()
    out.print(markdown(table(found)), soft_wrap=True)
    out.print(f"\n{caption(found)} {provenance(where)}\nWritten to {path}.", soft_wrap=True)


def measure(*, images: int, repeats: int, workers: int, device: torch.device) -> Speed:
    """Return the speeds of both ways, and of decoding, over files that are drawn for it."""
    with tempfile.TemporaryDirectory() as name:
        originals = Path(name) / "originals"
        originals.mkdir()
        paths = draw_originals(originals, images)
        length = statistics.mean(path.stat().st_size for path in paths)
        started = time.perf_counter()
        prepared = decoded(paths, Path(name) / "decoded")
        decoding = (time.perf_counter() - started) / images
        ours, loader = whole_batches(prepared, device), one_by_one(paths, device, workers=workers)
        counted = {ours(), loader()}  # the first epochs start workers and fill caches
        if len(counted) != 1:
            raise RuntimeError(f"the two ways read different numbers of images: {counted}")
        (count,) = counted
        seconds = seconds_in_turns({"ours": ours, "loader": loader}, repeats=repeats, device=device)
    each = {way: statistics.median(taken) / count for way, taken in seconds.items()}
    ratios = [slow / fast for slow, fast in zip(seconds["loader"], seconds["ours"], strict=True)]
    gain = each["loader"] - each["ours"]
    speed = Speed(
        images=images,
        workers=workers,
        ours=1 / each["ours"],
        loader=1 / each["loader"],
        ratio=ratio(seconds, "loader", "ours"),
        lowest=min(ratios),
        highest=max(ratios),
        decoding=1 / decoding,
        epochs_to_pay=decoding / gain if gain > 0 else None,
        kilobytes=length / 1000,
        turns=repeats,
        **origin(device),
    )
    rounded = {name: round(value, 2) for name, value in asdict(speed).items() if isinstance(value, float)}
    return replace(speed, **rounded)


def table(speed: Speed) -> pd.DataFrame:
    """Return a row for each way and one for decoding."""
    ours = f"decoded once, whole batches, {speed.threads} thread"
    loader = f"DataLoader of {speed.workers} workers, one by one" if speed.workers else "DataLoader, one by one"
    rates = {ours: speed.ours, loader: speed.loader, "decoding once": speed.decoding}
    return pd.DataFrame(
        {
            "way": list(rates),
            "images/s": [f"{rate:.0f}" for rate in rates.values()],
            "ratio": [f"{speed.ratio:.1f} ({speed.lowest:.1f} to {speed.highest:.1f})", "1", ""],
        }
    )


def caption(speed: Speed) -> str:
    """Return what the numbers are."""
    never = speed.epochs_to_pay is None
    paid = "never pays off" if never else f"has paid off after {speed.epochs_to_pay:.1f} epochs"
    return (
        f"Batches of {BATCH} inputs, {CROP} px, cropped and mirrored at random and normalised, where training takes "
        f"them; from {speed.images} drawn JPEG files of {WIDTH} x {HEIGHT} and {speed.kilobytes:.0f} kB. Medians of "
        f"{speed.turns} epochs timed in turns, after one to warm up; all files are in the system's cache; nothing is "
        f"trained meanwhile. Decoding once is not in the first line and {paid}."
    )
