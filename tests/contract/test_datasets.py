"""What every data set found in the folder must do: its drawn sample, in the official layout, through its own reader."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from benchmark import datasets
from benchmark.acquire import acquire, write_sample
from benchmark.cache import Prepared, Split
from benchmark.dataset import SAMPLE_MARK, Dataset
from benchmark.errors import UserError
from benchmark.places import Places
from benchmark.stand_in import stand_in

EVERY_SET = pytest.mark.parametrize("name", datasets.names())
MOST_SAMPLE_BYTES = 64 << 20


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which each data set's sample is written once."""
    return tmp_path_factory.mktemp("samples")


def official(name: str, samples: Path) -> Path:
    """Return the folder with a data set's drawn sample."""
    folder = samples / name
    if not folder.exists():
        folder.mkdir()
        write_sample(datasets.load(name), folder)
    return folder


def prepared(name: str, samples: Path) -> Prepared:
    """Return the decoded sample, found as a user's files are found."""
    official(name, samples)
    return acquire(datasets.load(name), Places(samples, samples / "cache"), say=lambda line: None)


def content(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@EVERY_SET
def test_it_says_what_it_is(name: str) -> None:
    given = datasets.load(name)
    assert given.name == name
    assert (type(given).__doc__ or "").strip()
    for text in (given.title, given.licence, given.citation):
        assert text.strip()
        assert "\n" not in text
    assert re.search(r"\b(19|20)\d\d\b", given.citation), "no year"
    assert urlsplit(given.homepage).scheme in ("http", "https")
    assert given.version >= 1


@EVERY_SET
def test_its_sources_can_be_trusted(name: str) -> None:
    given = datasets.load(name)
    assert len({source.name for source in given.sources}) == len(given.sources)
    for source in given.sources:
        path = Path(source.name)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert source.size is None or source.size > 0
        for url in source.urls:
            assert urlsplit(url).hostname
            assert urlsplit(url).scheme == "https" or (urlsplit(url).scheme == "http" and source.checksum), url
        if source.checksum:
            algorithm, _, digest = source.checksum.partition(":")
            assert len(digest) == hashlib.new(algorithm).digest_size * 2
            assert set(digest) <= set("0123456789abcdef")


@EVERY_SET
def test_it_finds_what_it_downloads(name: str, tmp_path: Path) -> None:
    given = datasets.load(name)
    if not given.sources:
        pytest.skip("it is not downloaded")
    assert given.locate(tmp_path) is None
    for source in given.sources:
        path = tmp_path / name / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = given.locate(tmp_path)
    assert found
    assert all(path.is_relative_to(tmp_path / name) for path in found.values())


@EVERY_SET
def test_it_finds_nothing_where_nothing_is(name: str, tmp_path: Path) -> None:
    given = datasets.load(name)
    assert given.locate(tmp_path / "missing") is None
    (tmp_path / name).mkdir()
    assert given.locate(tmp_path) is None


@EVERY_SET
def test_its_sample_is_read_as_official_files_are(name: str, samples: Path) -> None:
    found = prepared(name, samples)
    assert found.dataset == name
    assert found.sample, "its mark says that it is drawn"
    assert found.fingerprint.startswith("sample-")
    assert found.nbytes <= MOST_SAMPLE_BYTES
    split = found.tensors["split"]
    assert set(split.unique().tolist()) <= set(Split)
    assert {Split.TRAIN, Split.TEST} & set(split.unique().tolist())
    assert len({len(tensor) for tensor in found.tensors.values()}) == 1


@EVERY_SET
def test_numbers_of_its_sample_are_those_that_have_names(name: str, samples: Path) -> None:
    found = prepared(name, samples)
    assert set(found.names) <= set(found.tensors)
    for key, names in found.names.items():
        tensor = found.tensors[key]
        assert len(set(names)) == len(names) > 0
        if tensor.ndim == 2 and tensor.shape[1] == len(names):
            continue
        known = tensor[(tensor >= 0) & (tensor != 255)] if tensor.ndim > 1 else tensor
        assert int(known.min()) >= 0
        assert int(known.max()) < len(names)


@EVERY_SET
def test_its_sample_is_the_same_every_time_and_follows_the_seed(name: str, samples: Path, tmp_path: Path) -> None:
    for folder, seed in ((tmp_path / "again", 0), (tmp_path / "other", 1)):
        folder.mkdir()
        write_sample(datasets.load(name), folder, seed)
    first = content(official(name, samples))
    assert SAMPLE_MARK in first
    assert content(tmp_path / "again") == first
    assert content(tmp_path / "other") != first


@EVERY_SET
def test_reading_changes_none_of_its_files(name: str, samples: Path, tmp_path: Path) -> None:
    before = content(official(name, samples))
    acquire(datasets.load(name), Places(samples, tmp_path), say=lambda line: None)
    assert content(official(name, samples)) == before


@EVERY_SET
def test_a_truncated_file_ends_in_one_line(name: str, samples: Path, tmp_path: Path) -> None:
    """The largest file of the sample, cut in half, is refused by name."""
    given = datasets.load(name)
    folder = tmp_path / name
    folder.mkdir()
    write_sample(given, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    cut = max(files, key=lambda path: (path.stat().st_size, str(path)))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(UserError) as error:
        acquire(given, Places(tmp_path, tmp_path / "cache"), say=lambda line: None)
    assert cut.name in str(error.value)
    assert "\n" not in str(error.value)


@EVERY_SET
def test_its_pictures_carry_their_labels(name: str, samples: Path) -> None:
    """The nearest mean picture of the training samples' classes tells test pictures better than chance."""
    found = prepared(name, samples)
    if not {"image", "label"} <= set(found.tensors) or found.tensors["label"].ndim > 1:
        pytest.skip("no labelled pictures")
    images, labels = found.tensors["image"].flatten(1).float().numpy(), found.tensors["label"].numpy()
    train = found.tensors["split"].numpy() == Split.TRAIN
    present = np.unique(labels[train])
    means = np.stack([images[train & (labels == label)].mean(0) for label in present])
    test = ~train if (~train).any() else train
    distance = (means**2).sum(1) - 2 * images[test] @ means.T
    accuracy = (present[distance.argmin(1)] == labels[test]).mean()
    assert accuracy > 3 / len(present), f"{accuracy:.2f} with {len(present)} classes"


def test_there_are_data_sets() -> None:
    assert {"mnist", "cifar10", "cifar100"} <= set(datasets.names())
    assert all(isinstance(datasets.load(name), Dataset) for name in datasets.names())


def test_files_that_data_sets_share_are_none() -> None:
    shared = [path.stem for path in Path(next(iter(datasets.__path__))).glob("_*.py")]
    assert len(shared) > 1
    assert not set(datasets.names()) & {name.replace("_", "-") for name in shared}


@EVERY_SET
def test_the_content_it_announces_is_what_its_reader_writes(name: str, samples: Path) -> None:
    content, found = datasets.load(name).content, prepared(name, samples)
    if content is None:
        return  # every user has other files
    assert content.arrays.keys() | {"split"} == found.tensors.keys()
    assert content.names.keys() == found.names.keys()
    assert set(found.tensors["split"].unique().tolist()) <= set(content.splits)
    for array, (kind, shape) in content.arrays.items():
        assert str(found.tensors[array].dtype).removeprefix("torch.") == kind
        assert found.tensors[array].dim() == 1 + len(shape)
    made = stand_in(name, content)
    assert made.nbytes == content.nbytes == sum(array.nbytes for array in made.tensors.values())
    assert made.tensors["split"].bincount().tolist()[0] == content.splits[Split.TRAIN]
