"""From files in some folder, or none, to tensors."""

import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchmark import acquire as module
from benchmark.acquire import acquire, obtain, write_sample
from benchmark.cache import Arrays, Split
from benchmark.dataset import SAMPLE_MARK, Dataset, Found, Source
from benchmark.errors import UserError
from benchmark.places import CACHE_VARIABLE, Places, default_cache
from tests.benchmark.servers import Server, serving

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["benchmark.acquire"])

CONTENT = b"3141592653"


class Digits(Dataset):
    """A file of digits, each a sample."""

    title = "Digits"
    licence = "none"
    homepage = "https://example.org"
    citation = "nobody, 2026"
    sources: ClassVar = (Source("digits.txt", (), len(CONTENT), "md5:" + hashlib.md5(CONTENT).hexdigest()),)
    folders = ("other/place",)

    def __init__(self) -> None:
        super().__init__("digits")
        self.decoded = 0

    def find(self, folder: Path) -> Found | None:
        path = folder / "digits.txt"
        return {"text": path} if path.exists() else None

    def decode(self, found: Found, arrays: Arrays) -> None:
        self.decoded += 1
        content = found["text"].read_bytes()
        arrays.add("digit", list(content), np.uint8)
        arrays.add("split", [Split.TRAIN] * len(content), np.uint8)

    def write_sample(self, folder: Path, seed: int) -> None:
        (folder / "digits.txt").write_text(f"{seed}" * 5)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "cache")


def put(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "digits.txt").write_bytes(content)
    return folder / "digits.txt"


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("where", ["", "digits", "other/place"])
def test_files_are_used_where_they_lie(places: Places, where: str) -> None:
    put(places.data_dir / where)
    before = everything(places.data_dir)
    said: list[str] = []
    given = Digits()
    prepared = acquire(given, places, say=said.append)
    assert prepared.tensors["digit"].tolist() == list(CONTENT)
    assert not prepared.sample
    assert prepared.folder.parent == places.cache_dir
    assert said == [f"digits: decoding {places.data_dir / where / 'digits.txt'}"]
    assert acquire(given, places, say=said.append).fingerprint == prepared.fingerprint
    assert (given.decoded, len(said)) == (1, 1)
    assert everything(places.data_dir) == before


def test_the_users_own_folder_goes_first(places: Places) -> None:
    put(places.data_dir / "other/place", b"3")
    put(places.data_dir / "digits", b"22")
    assert len(acquire(Digits(), places).tensors["digit"]) == 2
    put(places.data_dir, b"1")
    assert len(acquire(Digits(), places).tensors["digit"]) == 1


def test_changed_files_are_decoded_anew_and_the_same_content_is_the_same(places: Places, tmp_path: Path) -> None:
    path = put(places.data_dir)
    given = Digits()
    first = acquire(given, places)
    os.utime(path, ns=(1, 1))
    touched = acquire(given, places)
    assert touched.folder != first.folder
    assert touched.fingerprint == first.fingerprint
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    assert acquire(given, places).folder == touched.folder, "nothing that is looked at tells them apart"
    path.write_bytes(CONTENT + b"5")
    os.utime(path, ns=(1, 1))
    longer = acquire(given, places)
    assert longer.fingerprint != first.fingerprint
    elsewhere = put(tmp_path / "elsewhere", b"1" * len(CONTENT + b"5"))
    os.utime(elsewhere, ns=(1, 1))
    assert acquire(given, Places(tmp_path / "elsewhere", places.cache_dir)).folder != longer.folder


def test_files_below_a_folder_are_looked_at_too(places: Places, tmp_path: Path) -> None:
    class Folder(Digits):
        def find(self, folder: Path) -> Found | None:
            return {"all": folder} if (folder / "deep").exists() else None

        def decode(self, found: Found, arrays: Arrays) -> None:
            super().decode({"text": found["all"] / "deep" / "digits.txt"}, arrays)

    path = put(tmp_path / "far")
    places.data_dir.mkdir()
    (places.data_dir / "deep").symlink_to(tmp_path / "far")
    first = acquire(Folder(), places)
    path.write_bytes(b"12")
    assert len(acquire(Folder(), places).tensors["digit"]) == 2
    changed = acquire(Folder(), places).folder
    assert changed != first.folder
    (tmp_path / "far" / "nothing").symlink_to(tmp_path / "nowhere")
    assert acquire(Folder(), places).folder not in (first.folder, changed), "a link to nothing is a change, no error"


def test_a_new_reader_decodes_anew(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    put(places.data_dir)
    first = acquire(Digits(), places)
    monkeypatch.setattr(Digits, "version", 2)
    assert acquire(Digits(), places).folder != first.folder
    monkeypatch.setattr(Digits, "version", 1)
    monkeypatch.setattr(module, "FORMAT", 2)
    assert acquire(Digits(), places).folder != first.folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with serving(Server(CONTENT)) as started:
        (source,) = Digits.sources
        monkeypatch.setattr(Digits, "sources", (Source(source.name, (started.url,), source.size, source.checksum),))
        yield started


def test_what_is_missing_is_downloaded_to_a_folder_of_its_own(places: Places, server: Server) -> None:
    assert acquire(Digits(), places).tensors["digit"].tolist() == list(CONTENT)
    assert (places.data_dir / "digits" / "digits.txt").read_bytes() == CONTENT
    acquire(Digits(), places)
    assert len(server.asked) == 1


def test_what_cannot_be_had_is_told(places: Places, server: Server) -> None:
    server.statuses = [404] * 9
    with pytest.raises(UserError, match=r"digits: digits.txt could not be downloaded .*404.*or try --sample"):
        acquire(Digits(), places)
    assert not places.cache_dir.exists()


def test_nothing_is_downloaded_where_that_is_not_wanted(places: Places, server: Server) -> None:
    told = r"does not hold digits, and --dry-run downloads nothing; .*prepare --dataset=digits --data-dir=\S+ does$"
    with pytest.raises(UserError, match=told):
        acquire(Digits(), replace(places, downloads=False))
    assert not server.asked
    assert not places.data_dir.exists()


def test_a_plan_says_of_what_its_page_alone_gives_out_what_a_run_would_say(places: Places) -> None:
    told = set()
    for downloads in (False, True):
        with pytest.raises(UserError, match="it is given out on its page alone") as error:
            acquire(Digits(), replace(places, downloads=downloads))
        told.add(str(error.value))
    (line,) = told
    assert line.endswith(
        f"; get digits.txt from https://example.org and put it into {places.data_dir}/digits, or try --sample"
    )


def test_a_missing_folder_of_own_data_is_not_called_an_empty_one(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Digits, "layout", "it takes a file of digits")
    with pytest.raises(UserError, match=f"^there is no folder {places.data_dir}: it takes a file of digits$"):
        acquire(Digits(), places)
    places.data_dir.mkdir()
    with pytest.raises(UserError, match=r"data holds nothing that can be read: it takes a file of digits$"):
        acquire(Digits(), places)


def test_a_sample_needs_no_files_and_says_so(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    put(places.data_dir)
    given = Digits()
    drawn = Places(places.data_dir, places.cache_dir, sample=True)
    prepared = acquire(given, drawn)
    assert prepared.sample
    assert prepared.fingerprint.startswith("sample-")
    assert prepared.tensors["digit"].tolist() == list(b"00000")
    assert acquire(given, drawn).folder == prepared.folder
    assert given.decoded == 1
    assert capsys.readouterr() == ("", "")
    assert prepared.fingerprint != acquire(given, places).fingerprint


def test_a_new_version_of_a_sample_is_drawn_anew(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Places(places.data_dir, places.cache_dir, sample=True)
    acquire(Digits(), drawn)
    monkeypatch.setattr(Digits, "version", 2)
    monkeypatch.setattr(module, "write_sample", lambda dataset, folder: write_sample(dataset, folder, seed=7))
    assert acquire(Digits(), drawn).tensors["digit"].tolist() == list(b"77777")


def test_a_sample_put_among_the_users_files_stays_one(places: Places) -> None:
    folder = places.data_dir / "digits"
    folder.mkdir(parents=True)
    write_sample(Digits(), folder)
    prepared = acquire(Digits(), places)
    assert prepared.sample
    assert prepared.fingerprint.startswith("sample-")
    assert (folder / SAMPLE_MARK).exists()


@pytest.mark.parametrize("sample", [True, False])
def test_a_reader_that_does_not_find_its_own_files_is_a_mistake(
    places: Places, server: Server, sample: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Digits, "find", lambda *_: None)
    with pytest.raises(LookupError, match="its reader does not find"):
        obtain(Digits(), Places(places.data_dir, places.cache_dir, sample), say=lambda line: None)


def race(places: Places, results: "multiprocessing.Queue[str]") -> None:
    results.put(acquire(Digits(), places).fingerprint)


def test_processes_that_ask_at_once_get_the_same_sample(places: Places) -> None:
    results: multiprocessing.Queue[str] = PROCESSES.Queue()
    drawn = Places(places.data_dir, places.cache_dir, sample=True)
    processes = [PROCESSES.Process(target=race, args=(drawn, results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert len({results.get(timeout=60) for _ in processes}) == 1
    for process in processes:
        process.join(60)
    results.close()
    results.join_thread()


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_cache() == Path.home() / ".cache" / "auxilearn-benchmark"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "auxilearn-benchmark"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "here"))
    assert default_cache() == Places().cache_dir == tmp_path / "here"
