"""Files that are there whole or not at all."""

from pathlib import Path

PART = ".part"
"""Ending of files that are being written."""


def write_whole(path: Path, text: str) -> None:
    """Write text as UTF-8 beside a file and put it in the file's place; a writer that is killed leaves the old one.

    Raises:
        OSError: It cannot be written; nothing is left beside the file.
    """
    part = path.with_name(path.name + PART)
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
