"""Downloads of official files: resumed where they broke, from server after server, verified, then renamed."""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from benchmark.dataset import Dataset, Source
from benchmark.errors import FULL, UserError
from benchmark.text import on_terminal
from benchmark.transfer import FailedError, Meter, length_of, pull, tag_of

ROUNDS = 3
"""How often all servers of a file are tried; a connection that brought bytes is taken up again without counting."""
PAUSE_SEC = 1.0
"""Pause after the first round; it grows by as much from round to round."""

PAGE_ALONE = "it is given out on its page alone"
"""Why a file without an address cannot be downloaded."""

Say = Callable[[str], None]


def download(dataset: Dataset, folder: Path, *, say: Say, pause_sec: float = PAUSE_SEC) -> None:
    """Bring those official files of a data set that are not in `folder` yet.

    Raises:
        UserError: A file cannot be had; the line says where to get what is missing and where to put it.
    """
    for source in dataset.sources:
        try:
            fetch(source, folder, say=say, pause_sec=pause_sec)
        except FailedError as failure:
            raise by_hand(dataset, folder, source, str(failure)) from failure


def by_hand(dataset: Dataset, folder: Path, source: Source, failure: str) -> UserError:
    """Return the error for a file that could not be downloaded, with where to get all that are missing."""
    missing = [source for source in dataset.sources if not (folder / source.name).exists()]
    wanted = ", ".join(f"{source.name} from {(*source.urls, dataset.homepage)[0]}" for source in missing)
    reason = f"{dataset.name}: {source.name} could not be downloaded ({failure})"
    them = "it" if len(missing) == 1 else "them"
    return UserError(f"{reason}; get {wanted} and put {them} into {folder}, or try --sample")


def fetch(source: Source, folder: Path, *, say: Say, pause_sec: float = PAUSE_SEC) -> Path:
    """Bring one file into `folder`, where it appears complete and verified or not at all, and return its path."""
    target = folder / source.name
    if not source.urls and not target.exists():
        raise FailedError(PAGE_ALONE)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(".download.lock")):
            if not target.exists():
                _fetch(source, target, say=say, pause_sec=pause_sec)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise FailedError(f"{folder} cannot be written: {error.strerror}") from error
    return target


def _fetch(source: Source, target: Path, *, say: Say, pause_sec: float) -> None:
    part = target.with_name(f"{target.name}.part")
    failures: dict[str, FailedError] = {}
    for number in range(ROUNDS):
        time.sleep(pause_sec * number)
        for url in source.urls:
            if url in failures and failures[url].final:
                continue
            try:
                if number == 0:
                    say(f"downloading {_described(source)} from {_server(url)}")
                patient = number > 0 or url == source.urls[-1] or not source.checksum  # others could not go on
                with _meter(source) as meter:
                    pull(url, source, part, meter, patient=patient)
                _check(source, part)
            except FailedError as failure:
                failures[url] = failure
            else:
                part.rename(target)
                tag_of(part).unlink(missing_ok=True)
                return
    reasons = "; ".join(f"{_server(url)}: {failure}" for url, failure in failures.items())
    raise FailedError(reasons)


def is_published(source: Source, path: Path) -> bool:
    """Return whether a file has the checksum of its source, which must have one."""
    algorithm, _, wanted = source.checksum.partition(":")
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == wanted


def _check(source: Source, part: Path) -> None:
    """Refuse, and throw away, a file that is not the official one."""
    problem = ""
    if source.size is not None and length_of(part) != source.size:
        problem = f"{length_of(part):,} bytes instead of {source.size:,}"
    elif source.checksum and not is_published(source, part):
        problem = f"the file that came has another checksum than {source.checksum}"
    if problem:
        part.unlink(missing_ok=True)
        raise FailedError(problem)


@contextmanager
def _meter(source: Source) -> Iterator[Meter]:
    """Yield what shows progress on a terminal, and nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not on_terminal(sys.stderr), transient=True) as bar:
        task = bar.add_task(source.name, total=source.size)
        yield lambda length: bar.update(task, completed=length)


def _server(url: str) -> str:
    return urlsplit(url).hostname or url


def _described(source: Source) -> str:
    return source.name if source.size is None else f"{source.name} ({source.size / 1e6:,.1f} MB)"
