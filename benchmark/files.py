"""Files that are there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"
"""Ending of files that are being written."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a file beside `path` to write into, and put it in its place; a writer that is killed leaves the old one.

    Raises:
        OSError: It cannot be written; nothing is left beside the file.
    """
    part = path.with_name(path.name + PART)
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, text: str) -> None:
    """Write text as UTF-8, see `whole`."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
