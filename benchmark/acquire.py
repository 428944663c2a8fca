"""From official files, or a drawn sample of them, to memory-mapped tensors: find, download, decode once, open."""

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.archives import files_below
from benchmark.cache import FORMAT, Arrays, Prepared, locked, made_whole, open_or_decode
from benchmark.dataset import SAMPLE_MARK, Dataset, Found
from benchmark.download import PAGE_ALONE, by_hand, download
from benchmark.errors import UserError
from benchmark.places import Places

SAMPLE_SEED = 0

Say = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Print a line where progress goes."""
    print(line, file=sys.stderr)


def acquire(dataset: Dataset, places: Places, *, say: Say = to_stderr) -> Prepared:
    """Return a data set as tensors; download and decode it first where that was not done.

    Args:
        dataset: The data set.
        places: Where its files are and where decoded data go.
        say: Takes a line for each step that takes long.

    Raises:
        UserError: A file is missing and cannot be downloaded, or is broken; the line says which and what to do.
    """
    found = obtain(dataset, places, say=say)
    sample = places.sample or is_marked(found)

    def decode(arrays: Arrays) -> None:
        if not places.sample:
            say(f"{dataset.name}: decoding {', '.join(map(str, found.values()))}")
        dataset.decode(found, arrays)

    folder = places.cache_dir / f"{dataset.name}-{_identity(dataset, found)}"
    return open_or_decode(folder, decode, dataset.name, sample=sample)


def obtain(dataset: Dataset, places: Places, *, say: Say = to_stderr) -> Found:
    """Return a data set's files; download or draw them first where they are not there; raises as `acquire`."""
    return _sample(dataset, places.cache_dir) if places.sample else _official(dataset, places, say)


def _official(dataset: Dataset, places: Places, say: Say) -> Found:
    data_dir = places.data_dir
    found = dataset.locate(data_dir)
    folder = data_dir / dataset.name
    if found is None and dataset.layout:
        if not data_dir.is_dir():
            raise UserError(f"there is no folder {data_dir}: {dataset.layout}")
        raise UserError(f"{data_dir} holds nothing that can be read: {dataset.layout}")
    if found is None and not places.downloads:
        for source in dataset.sources:
            if not source.urls and not (folder / source.name).exists():
                raise by_hand(dataset, folder, source, PAGE_ALONE)
        command = shlex.join(
            ["python", "-m", "benchmark.prepare", f"--dataset={dataset.name}", f"--data-dir={data_dir}"]
        )
        raise UserError(f"{data_dir} does not hold {dataset.name}, and --dry-run downloads nothing; {command} does")
    if found is None:
        download(dataset, folder, say=say)
        found = dataset.find(folder)
    if found is None:
        raise LookupError(f"{dataset.name}: its reader does not find the files that its sources name")
    return found


def _sample(dataset: Dataset, cache_dir: Path) -> Found:
    """Return the files of the drawn sample, written once."""
    folder = cache_dir / "samples" / f"{dataset.name}-{dataset.version}"
    if not folder.exists():
        with locked(folder):
            if not folder.exists():
                with made_whole(folder) as part:
                    write_sample(dataset, part)
    found = dataset.find(folder)
    if found is None:
        raise LookupError(f"{dataset.name}: its reader does not find the sample that it writes")
    return found


def write_sample(dataset: Dataset, folder: Path, seed: int = SAMPLE_SEED) -> None:
    """Write a data set's drawn sample into an empty folder, and mark it."""
    dataset.write_sample(folder, seed)
    (folder / SAMPLE_MARK).write_text("Drawn by the benchmark in the official layout; not data to report on.\n")


def is_drawn(dataset: Dataset, places: Places) -> bool:
    """Return whether `acquire` would return a drawn sample, without reading anything."""
    return places.sample or is_marked(dataset.locate(places.data_dir) or {})


def is_marked(found: Found) -> bool:
    """Return whether files are those of a drawn sample."""
    return any((folder / SAMPLE_MARK).exists() for path in found.values() for folder in (path, path.parent))


def _identity(dataset: Dataset, found: Found) -> str:
    """Return a digest of what the decoded data depend on: the reader's version and each file's place, length, time."""
    files = [[role, *entry] for role, path in sorted(found.items()) for entry in _stats(path)]
    return hashlib.sha256(json.dumps([FORMAT, dataset.version, files]).encode()).hexdigest()[:12]


def _stats(path: Path) -> Iterator[tuple[str, int, int]]:
    for file in [path / name for name in sorted(files_below(path))] if path.is_dir() else [path]:
        try:
            about = file.stat()
        except FileNotFoundError:  # a link to nothing, which a reader may never open
            yield str(file), -1, -1
        else:
            yield str(file.resolve()), about.st_size, about.st_mtime_ns
