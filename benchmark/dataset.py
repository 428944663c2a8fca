"""What a data set is: the official files, where they lie, how they become arrays, and a drawn sample of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np

from benchmark.cache import Arrays, Prepared, Split
from benchmark.errors import UserError

Found: TypeAlias = Mapping[str, Path]
"""Files and folders that hold a data set, by the part they play in its reader."""

INCOMPLETE = "not the complete release"
"""What is said wherever data are a part of the official files."""

SAMPLE_MARK = "SAMPLE"
"""Name of the file that marks a folder as generated."""


@dataclass(frozen=True)
class Source:
    """A file of the official release.

    Attributes:
        name: Its name, and where it lies in the data set's folder.
        urls: Where it can be had: the official place first, then mirrors; none where it takes a registration.
        size: Its length in bytes, where it is known.
        checksum: Its digest as `algorithm:hexadecimal`, where it is known.
    """

    name: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    checksum: str = ""


@dataclass(frozen=True)
class Content:
    """What the complete official release decodes to, to plan with where its files are not at hand.

    Attributes:
        splits: Samples of each official part.
        arrays: Type and shape of a sample of each array but `split`, such as `("uint8", (3, 32, 32))`.
        names: What an array's values, or its columns, stand for; numbers where only their count is known.
        class_sizes: Samples of each class in an official part, where they are known.
    """

    splits: Mapping[Split, int]
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]
    names: Mapping[str, tuple[str, ...]]
    class_sizes: Mapping[Split, tuple[int, ...]] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of samples of all parts."""
        return sum(self.splits.values())

    @property
    def nbytes(self) -> int:
        """Length of all decoded arrays in bytes."""
        each = (np.dtype(kind).itemsize * math.prod(shape) for kind, shape in self.arrays.values())
        return self.samples * (1 + sum(each))


def numbered(count: int) -> tuple[str, ...]:
    """Return the numbers from 0 on as names."""
    return tuple(map(str, range(count)))


class Dataset(ABC):
    """Base of all data sets; a file in `benchmark/datasets/` that defines one subclass is its registration.

    Attributes:
        title: What people call it.
        licence: Under which terms it may be used, in one line.
        homepage: Its official page.
        citation: The paper to cite.
        sources: The official files; together they are the whole data set.
        content: What the complete release decodes to; None where every user has other files.
        folders: Further folders below the user's data folder in which other programs keep its files.
        version: Number of the reader and of the drawn sample; a new one decodes everything anew.
        layout: How the user lays out data of their own; empty for published ones.
    """

    title: ClassVar[str]
    licence: ClassVar[str]
    homepage: ClassVar[str]
    citation: ClassVar[str]
    sources: ClassVar[tuple[Source, ...]]
    content: ClassVar[Content | None] = None
    folders: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1
    layout: ClassVar[str] = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def find(self, folder: Path) -> Found | None:
        """Return the files that lie directly in `folder`, in any of the layouts that can be read; None without them.

        Only names are looked at; nothing is opened.
        """

    @abstractmethod
    def decode(self, found: Found, arrays: Arrays) -> None:
        """Write every sample into `arrays`, among them `split`: a member of `benchmark.cache.Split` for each sample.

        Raises:
            UserError: A file is broken, truncated or foreign; the line names it.
        """

    @abstractmethod
    def write_sample(self, folder: Path, seed: int) -> None:
        """Write a small drawn data set in the official layout into the empty `folder`.

        Inputs carry their labels, so that learning is visible.
        """

    def facts(self, prepared: Prepared) -> Mapping[str, str]:
        """Return what else is worth telling of the decoded data, by a word for it."""
        return {}

    def shortfall(self, prepared: Prepared) -> str:
        """Return in one line where decoded files hold less, or more, than the complete release; empty if nowhere."""
        if prepared.sample or self.content is None or "split" not in prepared.tensors:
            return ""
        counts = prepared.tensors["split"].bincount(minlength=len(Split)).tolist()
        differing = {part: size for part, size in self.content.splits.items() if counts[part] != size}
        return ", ".join(
            f"{counts[part]:,} of {size:,} {part.name.lower()} samples" for part, size in differing.items()
        )

    def locate(self, data_dir: Path) -> Found | None:
        """Return its files below the user's data folder: in it, in the folder of its name, in `folders`."""
        for folder in self.candidates(data_dir):
            if folder.is_dir() and (found := self.find(folder)):
                return found
        return None

    def candidates(self, data_dir: Path) -> Iterator[Path]:
        """Yield the folders in which its files are looked for."""
        return (data_dir / below for below in ("", self.name, *self.folders))


class ForeignError(UserError):
    """A file is not what its name says."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"{path}: {why}; put the official file there, or delete it and let it be downloaded")
        self.path, self.why = path, why


def foreign(path: Path | str, why: str) -> ForeignError:
    """Return the error for a file that is not what its name says."""
    return ForeignError(path, why)
