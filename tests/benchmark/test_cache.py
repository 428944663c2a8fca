"""Decoded data: written whole or not at all, by one process, and refused when it is not as it was written."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import cache
from benchmark.cache import MANIFEST, Arrays, Prepared, open_cache, open_or_decode, verify
from benchmark.errors import UserError

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["benchmark.acquire"])

IMAGE = np.arange(5 * 3 * 4 * 4, dtype=np.uint8).reshape(5, 3, 4, 4)


def write(arrays: Arrays, image: np.ndarray = IMAGE) -> None:
    """Decode five pictures, the rows out of order."""
    out = arrays.new("image", image.shape, image.dtype)
    for row in (3, 1, 0, 4, 2):
        out[row] = image[row]
    arrays.add("depth", np.linspace(0, 1, 5), np.float16)
    arrays.add("label", [0, 1, 2, 1, 0], np.int64)
    arrays.add("split", [0, 0, 0, 1, 1], np.uint8)
    arrays.name("label", ["a", "b", "ü"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return open_or_decode(tmp_path / "cache" / "set-1", write, "set").folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_written_is_read(folder: Path) -> None:
    prepared = open_cache(folder)
    assert (prepared.dataset, prepared.sample) == ("set", False)
    assert {name: tensor.dtype for name, tensor in prepared.tensors.items()} == {
        "image": torch.uint8,
        "depth": torch.float16,
        "label": torch.int64,
        "split": torch.uint8,
    }
    assert np.array_equal(prepared.tensors["image"].numpy(), IMAGE)
    assert prepared.tensors["label"].tolist() == [0, 1, 2, 1, 0]
    assert prepared.names == {"label": ("a", "b", "ü")}
    assert prepared.nbytes == IMAGE.nbytes + 5 * (2 + 8 + 1)
    assert names(folder.parent) == {"set-1", ".set-1.lock"}


def test_tensors_are_mapped_and_writing_to_them_stays_in_memory(folder: Path) -> None:
    before = (folder / "image.npy").read_bytes()
    image = open_cache(folder).tensors["image"]
    assert str(folder / "image.npy") in Path("/proc/self/maps").read_text()
    image[0] = 99
    assert (image[0] == 99).all()
    assert (folder / "image.npy").read_bytes() == before
    assert open_cache(folder).tensors["image"][0].tolist() == IMAGE[0].tolist()


def test_numpy_reads_the_files_too(folder: Path) -> None:
    assert np.array_equal(np.load(folder / "image.npy"), IMAGE)


def test_decoding_happens_once(folder: Path) -> None:
    def fail(arrays: Arrays) -> None:
        raise AssertionError

    assert open_or_decode(folder, fail, "set").fingerprint == open_cache(folder).fingerprint


def test_the_fingerprint_is_of_the_content_alone(folder: Path, tmp_path: Path) -> None:
    def fingerprint(change: Callable[[Arrays], None], name: str = "set", *, sample: bool = False) -> str:
        def decode(arrays: Arrays) -> None:
            change(arrays)

        return open_or_decode(tmp_path / str(time.monotonic_ns()), decode, name, sample=sample).fingerprint

    def with_other_names(arrays: Arrays) -> None:
        write(arrays)
        arrays.name("label", ["a", "b", "c"])

    def with_more(arrays: Arrays) -> None:
        write(arrays)
        arrays.add("more", np.zeros(5))

    def backwards(arrays: Arrays) -> None:
        arrays.name("label", ["a", "b", "ü"])
        arrays.add("split", [0, 0, 0, 1, 1], np.uint8)
        arrays.add("label", [0, 1, 2, 1, 0], np.int64)
        arrays.add("depth", np.linspace(0, 1, 5), np.float16)
        arrays.add("image", IMAGE)

    same = open_cache(folder).fingerprint
    assert fingerprint(write) == fingerprint(backwards) == same
    changed = IMAGE.copy()
    changed[4, 2, 3, 3] += 1
    others = [
        fingerprint(lambda arrays: write(arrays, changed)),
        fingerprint(lambda arrays: write(arrays, IMAGE.reshape(5, 4, 3, 4))),
        fingerprint(with_other_names),
        fingerprint(with_more),
        fingerprint(write, "other"),
        fingerprint(write, sample=True),
    ]
    assert len({same, *others}) == 7
    assert others[-1].startswith("sample-")
    assert all(5 < len(found) < 30 for found in others)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda arrays: arrays.add("image", IMAGE),
        lambda arrays: arrays.add("split", []),
        lambda arrays: (arrays.add("split", [0, 1]), arrays.add("image", IMAGE)),
        lambda arrays: (arrays.add("split", [0]), arrays.add("split", [0])),
        lambda arrays: arrays.add("../split", [0]),
    ],
    ids=["no split", "empty", "lengths", "twice", "name"],
)
def test_a_wrong_decoder_leaves_nothing(tmp_path: Path, wrong: Callable[[Arrays], object]) -> None:
    with pytest.raises(ValueError, match=r"split|name"):
        open_or_decode(tmp_path / "set-1", lambda arrays: (wrong(arrays), None)[1], "set")
    assert names(tmp_path) == {".set-1.lock"}


def test_a_decoder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(arrays: Arrays) -> None:
        write(arrays)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_or_decode(tmp_path / "set-1", fail, "set")
    assert names(tmp_path) == {".set-1.lock"}


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        open_or_decode(tmp_path / "set-1", write, "set")
    assert names(tmp_path) == {".set-1.lock"}


def test_room_is_claimed_for_the_whole_array(tmp_path: Path) -> None:
    Arrays(tmp_path).new("image", (1000, 1000), np.uint8)
    assert (tmp_path / "image.npy").stat().st_blocks * 512 >= 1_000_000


def damage_header(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(5, 3, 4, 4)", b"(5, 4, 3, 4)"))


def damage_type(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"|u1", b"|i1"))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.unlink(), "it cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes instead of 368"),
        (lambda path: path.write_bytes(path.read_bytes() + b"1"), "bytes instead of 368"),
        (lambda path: path.write_bytes(bytes(368)), "it cannot be read"),
        (damage_header, "not as it was written"),
        (damage_type, "not as it was written"),
    ],
    ids=["missing", "truncated", "longer", "zeros", "shape", "type"],
)
def test_a_damaged_array_is_refused(folder: Path, damage: Callable[[Path], object], why: str) -> None:
    path = folder / "image.npy"
    assert path.stat().st_size == 368
    damage(path)
    for look in (open_cache, verify):
        with pytest.raises(UserError, match=why) as error:
            look(folder)
        assert str(error.value).startswith(f"{path}: ")
        assert str(error.value).endswith(f"; delete the folder {folder} and run again to decode the data anew")


def test_pickled_arrays_are_never_loaded(folder: Path) -> None:
    path = folder / "label.npy"
    size = path.stat().st_size
    np.save(path, np.array([print], dtype=object), allow_pickle=True)
    path.write_bytes(path.read_bytes()[:size].ljust(size, b"\0"))
    with pytest.raises(UserError, match="cannot be read"):
        open_cache(folder)


def test_changed_content_is_found_by_verify_alone(folder: Path) -> None:
    verify(folder)
    path = folder / "image.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    open_cache(folder)
    with pytest.raises(UserError, match=r"image.npy: its content has changed; delete the folder"):
        verify(folder)


@pytest.mark.parametrize("key", ["dataset", "sample", "names", "arrays", "format", "fingerprint"])
def test_a_changed_manifest_is_refused(folder: Path, key: str) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    for value in ("x", None):
        path.write_text(json.dumps({**manifest, key: value}))
        with pytest.raises(UserError, match=r"manifest.json: it"):
            open_cache(folder)
    del manifest[key]
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"manifest.json: it"):
        open_cache(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", '{"format": 1}'])
def test_a_broken_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(UserError, match=r"manifest.json: it cannot be read; delete the folder"):
        open_cache(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(UserError, match="it cannot be read"):
        open_cache(folder)


def test_a_cache_that_cannot_be_written_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(cache, "FileLock", refuse)
    assert isinstance(open_or_decode(folder, write, "set"), Prepared)


def slow(arrays: Arrays) -> None:
    """Decode, leave a trace of it, and take long enough for others to come."""
    with (arrays.folder.parent / "decoded").open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.2)
    write(arrays)


def endless(arrays: Arrays) -> None:
    """Begin to decode, say so, and never end."""
    write(arrays)
    (arrays.folder.parent / "begun").touch()
    time.sleep(1000)


def prepare(folder: Path, decode: Callable[[Arrays], None]) -> None:
    open_or_decode(folder, decode, "set")


def test_one_of_several_processes_decodes_and_all_read(tmp_path: Path) -> None:
    processes = [PROCESSES.Process(target=prepare, args=(tmp_path / "set-1", slow)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len((tmp_path / "decoded").read_text().split()) == 1
    verify(tmp_path / "set-1")


def test_a_killed_process_leaves_nothing_that_is_taken_for_data(tmp_path: Path) -> None:
    process = PROCESSES.Process(target=prepare, args=(tmp_path / "set-1", endless))
    process.start()
    while not (tmp_path / "begun").exists():
        time.sleep(0.005)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert names(tmp_path) == {".set-1.lock", ".set-1.part", "begun"}
    open_or_decode(tmp_path / "set-1", write, "set")
    verify(tmp_path / "set-1")
    assert names(tmp_path) == {".set-1.lock", "set-1", "begun"}
