"""Files in folders and archives, read where they lie: nothing is extracted, and what no data set holds is refused."""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Self, cast

from benchmark.errors import UserError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip")

MOST_MEMBERS = 1_000_000
MOST_BYTES_OF_A_FILE = 1 << 30
MOST_EXPANSION = 200
"""An archive may hold this many times its own length; pictures hardly shrink, tables of text to a twentieth."""
FREE_BYTES = 64 << 20
"""An archive may hold this much whatever its own length."""

_MAGIC = ((b"\x1f\x8b", gzip.GzipFile), (b"\xfd7zXZ", lzma.LZMAFile), (b"BZh", bz2.BZ2File))
_BLOCK = 1 << 20
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, ValueError, RuntimeError, LookupError),
)
"""What the readers of archives raise over damage."""


class _Member(NamedTuple):
    name: str
    size: int
    kind: str
    """`file`, `folder`, or what else it is."""
    open: Callable[[], IO[bytes] | None]


class Tree:
    """The files below a folder or in an archive, by their path relative to its top, with `/` between the parts.

    Raises:
        UserError: A file is missing or cannot be read, or the archive is truncated or broken, would unpack to far
            more than its length, or has what no data set has: a link, a device, an encrypted file, a path that
            leaves its top.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def first(folder: Path, *stems: str) -> Path | None:
        """Return the first that is there of a folder or archive in `folder` with one of these names."""
        for stem in stems:
            if (folder / stem).is_dir():
                return folder / stem
            for suffix in SUFFIXES:
                if (folder / f"{stem}{suffix}").is_file():
                    return folder / f"{stem}{suffix}"
        return None

    def where(self, name: str) -> str:
        """Return what messages call a file."""
        return str(self.path / name) if self.path.is_dir() else f"{self.path}: {name}"

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        return self._names

    def read(self, name: str) -> bytes:
        """Return one file; an archive is read up to it, so that this is for few files."""
        with closing(self.read_all((name,))) as files:
            return next(files)[1]

    def read_all(self, names: Collection[str]) -> Generator[tuple[str, bytes], None, None]:
        """Yield path and content of these files, each once, in the order in which they lie, in one pass."""
        left = set(names)
        with _blaming(self.path):
            for member in self._members(left):
                if member.name in left:
                    left.remove(member.name)
                    yield member.name, self._content(member)
        if left:
            raise UserError(f"{self.where(min(left))} is missing")

    @cached_property
    def _names(self) -> list[str]:
        with _blaming(self.path):
            if self.path.is_dir():
                return sorted(files_below(self.path))
            return sorted({member.name for member in self._members()})

    def _members(self, wanted: Collection[str] = ()) -> Iterator[_Member]:
        if self.path.is_dir():
            return _of_folder(self.path, wanted)
        members = _of_zip(self.path) if self.path.suffix == ".zip" else _of_tar(self.path)
        return _guarded(members, self.path)

    def _content(self, member: _Member) -> bytes:
        where = self.where(member.name)
        if member.size > MOST_BYTES_OF_A_FILE:
            raise UserError(f"{where} is refused: {member.size:,} bytes are more than any file of a data set has")
        with _blaming(where), cast(IO[bytes], member.open()) as file:
            content = file.read(member.size)
            if len(content) != member.size:
                raise EOFError(f"{len(content):,} of {member.size:,} bytes")
        return content


def read_file(path: Path) -> bytes:
    """Return the content of a file, uncompressed where it is compressed with gzip, xz or bzip2.

    Raises:
        UserError: It cannot be read, is truncated, or unpacks to more than any file of a data set has.
    """
    most = min(MOST_BYTES_OF_A_FILE, MOST_EXPANSION * path.stat().st_size + FREE_BYTES)
    with _blaming(path), _uncompressed(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UserError(f"{path} is refused: it unpacks to far more than its length")
    return content


def _guarded(members: Iterator[_Member], path: Path) -> Iterator[_Member]:
    """Yield the files alone, by tidy names; refuse an archive that no honest hand has packed."""
    most, total = MOST_EXPANSION * path.stat().st_size + FREE_BYTES, 0
    for count, member in enumerate(members, start=1):
        if _leaves(member.name):
            raise UserError(f"{path} is refused: its member {member.name!r} leaves the folder")
        if member.kind not in ("file", "folder"):
            raise UserError(f"{path} is refused: its member {member.name!r} is {member.kind}")
        total += member.size
        if total > most or count > MOST_MEMBERS:
            raise UserError(f"{path} is refused: it would unpack to far more than its length")
        if member.kind == "file":
            yield member._replace(name=str(PurePosixPath(member.name)))


def _leaves(name: str) -> bool:
    """Return whether a path leads out of the folder it is relative to."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\0" in name


def files_below(top: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder, relative to it; links are followed, each folder once."""
    seen = set()
    for folder, folders, files in os.walk(top, followlinks=True):
        seen.add(os.path.realpath(folder))
        folders[:] = [name for name in folders if os.path.realpath(f"{folder}/{name}") not in seen]
        yield from (Path(folder, name).relative_to(top).as_posix() for name in files)


def _of_folder(top: Path, names: Collection[str]) -> Iterator[_Member]:
    for name in sorted(names):
        path = top / name
        if not _leaves(name) and path.is_file():
            yield _Member(name, path.stat().st_size, "file", lambda path=path: path.open("rb"))


class _Entry(tarfile.TarInfo):
    """A header that must be one: `tarfile` takes a damaged or missing one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the entry in a block; a block of zeros is the end."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error


def _of_tar(path: Path) -> Iterator[_Member]:
    with _uncompressed(path) as file, tarfile.open(fileobj=file, mode="r:", tarinfo=_Entry) as archive:
        for entry in archive:
            kind = "file" if entry.isreg() else "folder" if entry.isdir() else "a link or a device"
            yield _Member(entry.name, entry.size, kind, lambda entry=entry: archive.extractfile(entry))
        while file.read(_BLOCK):  # its checksum comes last
            pass


def _of_zip(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            odd = "encrypted" if entry.flag_bits & 1 else "a link or a device" if _is_odd(mode) else ""
            kind = odd or ("folder" if entry.is_dir() else "file")
            yield _Member(entry.filename, entry.file_size, kind, lambda entry=entry: archive.open(entry))


def _is_odd(mode: int) -> bool:
    return bool(stat.S_IFMT(mode)) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _uncompressed(path: Path) -> IO[bytes]:
    """Open a file, through its decompressor where its first bytes ask for one."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, opened in _MAGIC:
        if start.startswith(magic):
            return cast(IO[bytes], opened(path))
    return path.open("rb")


@contextmanager
def _blaming(where: Path | str) -> Iterator[None]:
    """Turn what goes wrong with a file into one line that names it."""
    try:
        yield
    except PermissionError as error:
        raise UserError(f"{where} cannot be read: permission denied") from error
    except _BROKEN as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"{where} cannot be read: it is broken or truncated ({reason})") from error
