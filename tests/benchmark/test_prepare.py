"""The command that gets data ready, in the process of the test."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import datasets, download, suites
from benchmark.acquire import write_sample
from benchmark.commands import run_app
from benchmark.places import CACHE_VARIABLE
from benchmark.prepare import app
from tests.benchmark.helpers import Ended

Prepare = Callable[..., Ended]


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Prepare:
    """Return a function that runs the command line here; its data and its cache lie in the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["prepare", *map(str, arguments)])
        status = run_app(app, "python -m benchmark.prepare")
        captured = capfd.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


def test_a_sample_is_prepared_and_told(prepare: Prepare, tmp_path: Path) -> None:
    ended = prepare("--dataset", "mnist", "--sample", "--verify")
    assert (ended.status, ended.err) == (0, "")
    first, *facts = ended.out.splitlines()
    assert first == "mnist: MNIST"
    told = dict(line.strip().split(": ", 1) for line in facts)
    assert told["licence"] == datasets.load("mnist").licence
    assert told["cite"] == datasets.load("mnist").citation
    assert told["from"] == "drawn SAMPLE, not data to report on"
    assert told["decoded to"].startswith(str(tmp_path / "cache" / "mnist-"))
    assert told["decoded to"].endswith("(1.0 MB)")
    assert told["holds"] == "1,300 samples: image uint8 1 x 28 x 28, label int64, split uint8"
    assert told["content"].startswith("sample-")
    assert told["took"].endswith(" s")
    assert told["verified"] == "every array is as it was decoded"
    assert not (tmp_path / "data").exists()


def official(folder: Path) -> Path:
    """Put files in MNIST's layout there, without the mark of a sample."""
    folder.mkdir(parents=True)
    write_sample(datasets.load("mnist"), folder)
    (folder / "SAMPLE").unlink()
    return folder


def test_files_of_the_user_are_prepared_and_compared_with_the_published(prepare: Prepare, tmp_path: Path) -> None:
    folder = official(tmp_path / "data" / "mnist")
    ended = prepare("--dataset", "mnist", "--verify")
    assert ended.status == 0
    assert ended.err.startswith("mnist: decoding ")
    assert f"from: {Path('data') / 'mnist' / 'train-images-idx3-ubyte.gz'}, " in ended.out
    assert "not the complete release: 1,000 of 60,000 train samples, 300 of 10,000 test samples" in ended.out
    assert "train-images-idx3-ubyte.gz is not, byte for byte, the published file" in ended.out
    elsewhere = prepare("--dataset", "mnist", "--data-dir", folder, "--cache-dir", tmp_path / "other")
    assert str(tmp_path / "other" / "mnist-") in elsewhere.out
    assert "verified" not in elsewhere.out


def test_published_files_are_told(prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official(tmp_path / "data" / "mnist")
    monkeypatch.setattr(download, "is_published", lambda source, path: source.name == path.name)
    assert "; t10k-labels-idx1-ubyte.gz is the published file" in prepare("--dataset", "mnist", "--verify").out


def test_several_data_sets_are_prepared_each_once(prepare: Prepare) -> None:
    ended = prepare("--suite", "mnist,digits", "--dataset", "mnist, cifar10", "--sample")
    assert ended.status == 0
    assert [line for line in ended.out.splitlines() if not line.startswith(" ")] == [
        "mnist: MNIST",
        "cifar10: CIFAR-10",
    ]


def test_a_suite_without_files_needs_nothing(prepare: Prepare) -> None:
    assert prepare("--suite", "digits") == (0, "nothing to prepare: digits needs no files\n", "")


def test_every_suite_names_data_sets_that_are_there() -> None:
    for name in suites.names():
        assert set(suites.load(name).datasets) <= set(datasets.names())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--suite and --dataset are missing; data sets: "),
        (("--dataset", "mnits"), "unknown data set 'mnits' (did you mean mnist?); choose one of: "),
        (("--suite", "mnits"), "unknown suite 'mnits' (did you mean mnist?); choose one of: "),
        (("--suite", ","), "--suite and --dataset are missing"),
    ],
)
def test_mistakes_end_in_one_line(prepare: Prepare, words: tuple[str, ...], told: str) -> None:
    ended = prepare(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {told}")
    assert ended.err.count("\n") == 1


def test_broken_files_end_in_one_line(prepare: Prepare, tmp_path: Path) -> None:
    path = official(tmp_path / "data" / "mnist") / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    ended = prepare("--dataset", "mnist")
    assert ended.status == 2
    assert ended.err.splitlines()[-1].startswith("error: data/mnist/t10k-images-idx3-ubyte.gz: truncated or foreign")
    assert not list((tmp_path / "cache").glob("mnist-*"))


def test_a_changed_cache_is_found_by_verify(prepare: Prepare, tmp_path: Path) -> None:
    prepare("--dataset", "mnist", "--sample")
    (path,) = (tmp_path / "cache").glob("mnist-*/image.npy")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert prepare("--dataset", "mnist", "--sample").status == 0
    ended = prepare("--dataset", "mnist", "--sample", "--verify")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(
        f"error: {path}: its content has changed; delete the folder {path.parent} and run again"
    )


def test_without_a_network_one_line_says_what_to_do(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise download.FailedError("no connection")

    monkeypatch.setattr(download, "pull", unreachable)
    ended = prepare("--dataset", "cifar10")
    assert ended.status == 2
    url = datasets.load("cifar10").sources[0].urls[0]
    assert ended.err.splitlines()[-1].endswith(
        f"; get cifar-10-python.tar.gz from {url} and put it into data/cifar10, or try --sample"
    )


def test_the_list_has_every_data_set(prepare: Prepare) -> None:
    ended = prepare("--list")
    assert ended.status == 0
    for name in datasets.names():
        assert f"  {name}: {datasets.load(name).title}" in ended.out.splitlines()
        assert f"      page: {datasets.load(name).homepage}" in ended.out.splitlines()
    assert "      download: 170 MB" in ended.out.splitlines()


@pytest.mark.parametrize("words", [("--data-dir", "taken"), ("--sample", "--cache-dir", "taken/below")])
def test_a_file_in_place_of_a_folder_ends_in_one_line(prepare: Prepare, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "taken").write_text("mine")
    ended = prepare("--dataset", "mnist", *words)
    assert ended.status == 2
    assert "taken" in ended.err.splitlines()[-1]
    assert "cannot be written" in ended.err or "cannot write to" in ended.err
    assert "Traceback" not in ended.err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_data_set_of_its_page_alone_leaves_no_folder_behind(prepare: Prepare, tmp_path: Path) -> None:
    ended = prepare("--dataset", "nyuv2", "--data-dir", tmp_path / "data")
    assert ended.status == 2
    assert "given out on its page alone" in ended.err
    assert not (tmp_path / "data").exists()
