"""Folders and archives read in place, honest ones and others."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import archives
from benchmark.archives import SUFFIXES, Tree, read_file
from benchmark.errors import UserError

FILES = {"top.txt": b"top", "b/two.bin": bytes(3000), "b/one.bin": os.urandom(5000), "a/c/deep.txt": b""}
MODES = {".tar": "w:", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}


def pack(path: Path, files: dict[str, bytes] = FILES, *more: tarfile.TarInfo, prefix: str = "") -> Path:
    """Write an archive whose kind its suffix says, in the order given."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("empty")
            for name, content in files.items():
                archive.writestr(prefix + name, content)
        return path
    suffix = next(suffix for suffix in MODES if path.name.endswith(suffix))
    with tarfile.open(path, MODES[suffix]) as archive:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            about = tarfile.TarInfo(prefix + name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
        for about in more:
            archive.addfile(about)
    return path


def unpack(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(params=["folder", *SUFFIXES])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    if request.param == "folder":
        return Tree(unpack(tmp_path / "x"))
    return Tree(pack(tmp_path / f"x{request.param}"))


def test_every_packing_reads_the_same(tree: Tree) -> None:
    assert tree.names() == sorted(FILES)
    assert dict(tree.read_all(tree.names())) == FILES
    assert [name for name, _ in tree.read_all(FILES)] in (list(FILES), sorted(FILES))
    for name, content in FILES.items():
        assert tree.read(name) == content
    assert list(tree.read_all(())) == []


def test_a_missing_file_is_named(tree: Tree) -> None:
    with pytest.raises(UserError, match=r"^.*x.*b/three.bin is missing$") as error:
        list(tree.read_all(["b/one.bin", "b/three.bin"]))
    assert tree.where("b/three.bin") in str(error.value)
    for outside in ("../x", str(tree.path), "/etc/passwd", "b/../b/one.bin", "b\0"):
        with pytest.raises(UserError, match="is missing"):
            tree.read(outside)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_names_are_tidied(tmp_path: Path, suffix: str) -> None:
    tree = Tree(pack(tmp_path / f"x{suffix}", prefix=".//./"))
    assert tree.names() == sorted(FILES)
    assert tree.read("b/one.bin") == FILES["b/one.bin"]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a/.."])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    path = pack(tmp_path / f"x{suffix}", {"good.txt": b"1", name: b"2", "late.txt": b"3"})
    with pytest.raises(UserError, match=r"x\.\w.* is refused: its member '.*' leaves the folder"):
        Tree(path).names()
    with pytest.raises(UserError, match="leaves the folder"):
        Tree(path).read("late.txt")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
    ids=["symlink", "hard link", "character device", "block device", "pipe"],
)
def test_a_member_that_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    about = tarfile.TarInfo("odd")
    about.type, about.linkname = kind, "/etc/passwd"
    with pytest.raises(UserError, match=r"its member 'odd' is a link or a device"):
        Tree(pack(tmp_path / "x.tar", FILES, about)).names()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_member_of_a_zip_that_is_no_file_is_refused(tmp_path: Path, kind: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        about = zipfile.ZipInfo("odd")
        about.external_attr = (kind | 0o777) << 16
        archive.writestr(about, "/etc/passwd")
    with pytest.raises(UserError, match=r"its member 'odd' is a link or a device"):
        Tree(tmp_path / "x.zip").names()


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"secret": b"1"})
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    path.write_bytes(content[: at + 8] + b"\x01" + content[at + 9 :])
    with pytest.raises(UserError, match=r"its member 'secret' is encrypted"):
        Tree(path).names()


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_a_bomb_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    path = pack(tmp_path / f"x{suffix}", {f"zeros{part}": bytes(1_000_000) for part in range(2)})
    with pytest.raises(UserError, match="it would unpack to far more than its length"):
        Tree(path).names()
    monkeypatch.setattr(archives, "MOST_EXPANSION", 1e9)
    assert len(Tree(path).names()) == 2


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    about = tarfile.TarInfo("huge")
    about.size = 1 << 60
    path = tmp_path / "x.tar"
    path.write_bytes(about.tobuf() + bytes(10240))
    with pytest.raises(UserError, match="it would unpack to far more than its length"):
        Tree(path).read("huge")


def test_a_file_longer_than_any_data_set_has_is_refused(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES_OF_A_FILE", 4000)
    assert tree.read("b/two.bin") == FILES["b/two.bin"]
    with pytest.raises(UserError, match=r"b/one.bin is refused: 5,000 bytes"):
        tree.read("b/one.bin")


def test_a_crowd_of_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 4)
    with pytest.raises(UserError, match="far more than its length"):
        Tree(pack(tmp_path / "x.tar")).names()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_archive_is_named(tmp_path: Path, suffix: str) -> None:
    whole = pack(tmp_path / f"x{suffix}").read_bytes().rstrip(b"\0")  # a tar may end with any number of zeros
    path = tmp_path / f"cut{suffix}"
    for part in range(20):
        path.write_bytes(whole[: len(whole) * part // 20])
        with pytest.raises(UserError, match=r"cut\.\S+ cannot be read: it is broken or truncated"):
            Tree(path).names()


@pytest.mark.parametrize("name", ["x.tar", "single.gz"])
def test_what_may_not_be_read_is_not_called_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = pack(tmp_path / name) if name == "x.tar" else tmp_path / name
    path.touch()

    def refuse(*arguments: object, **keywords: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(tarfile, "open", refuse)
    with pytest.raises(UserError, match=rf"{name} cannot be read: permission denied$"):
        Tree(path).names() if name == "x.tar" else read_file(path)


def test_a_tar_that_ends_between_two_members_is_truncated(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar", {"a": b"1" * 512, "b": b"2" * 512})
    path.write_bytes(path.read_bytes()[: 512 + 1024])
    with pytest.raises(UserError, match="broken or truncated"):
        Tree(path).names()
    with pytest.raises(UserError, match="broken or truncated"):
        list(Tree(path).read_all(["a", "b"]))


def test_a_zip_that_holds_less_than_it_says_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"short": os.urandom(100)})
    content = bytearray(path.read_bytes())
    for start, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        content[content.rindex(start) + at] += 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x.zip: short cannot be read: it is broken or truncated \(100 of 101 bytes\)"):
        Tree(path).read("short")


def test_an_archive_is_read_up_to_a_single_file_and_no_further(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar", {"a": b"1", "b": b"2", "../c": b"3"})
    assert Tree(path).read("b") == b"2"
    with pytest.raises(UserError, match="leaves the folder"):
        list(Tree(path).read_all(["b"]))


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_damage_that_only_a_checksum_shows_is_found(tmp_path: Path, suffix: str) -> None:
    """Content that does not compress lies in an archive as it is, where one changed bit breaks nothing else."""
    path = pack(tmp_path / f"x{suffix}", {"noise": os.urandom(100_000), "more": os.urandom(2000)})
    content = bytearray(path.read_bytes())
    content[50_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.\S+ cannot be read|x\.\S+: noise cannot be read"):
        list(Tree(path).read_all(["noise"]))


@pytest.mark.parametrize("at", [1, 150])
def test_a_damaged_header_is_not_the_end(tmp_path: Path, at: int) -> None:
    content = bytearray(pack(tmp_path / "x.tar", {"a": b"1" * 512, "b": b"2" * 512}).read_bytes())
    content[512 + 1024 + at] ^= 1
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(UserError, match="broken or truncated"):
        Tree(tmp_path / "x.tar").names()


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=30)
@given(data=st.data())
def test_damage_ends_in_one_line_or_none(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    """Whatever is wrong with an archive, nothing but a UserError comes of it."""
    path = pack(tmp_path_factory.mktemp("x") / f"x{suffix}")
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    tree = Tree(path)
    with contextlib.suppress(UserError):
        dict(tree.read_all(tree.names()))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>" * 100])
def test_what_is_no_archive_is_named(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.\S+ cannot be read"):
        Tree(tmp_path / f"x{suffix}").names()


def test_the_first_that_is_there_is_taken(tmp_path: Path) -> None:
    assert Tree.first(tmp_path, "x", "y") is None
    for name in ("y.zip", "y.tgz", "y", "x.tar.xz"):
        (tmp_path / name).mkdir() if name == "y" else (tmp_path / name).touch()
        assert Tree.first(tmp_path, "x", "y") == tmp_path / name
    (tmp_path / "z.tar").mkdir()
    (tmp_path / "z").touch()
    assert Tree.first(tmp_path, "z") is None, "neither a folder nor an archive"


def test_links_in_a_folder_are_followed_once(tmp_path: Path) -> None:
    unpack(tmp_path / "x")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "picture").write_bytes(b"far")
    (tmp_path / "x" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "x" / "round").symlink_to(tmp_path / "x")
    tree = Tree(tmp_path / "x")
    assert tree.names() == sorted([*FILES, "linked/picture"])
    assert tree.read("linked/picture") == b"far"


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_a_single_file_is_read_whatever_its_compression(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "x"
    path.write_bytes(compress(b"content" * 1000))
    assert read_file(path) == b"content" * 1000


def test_a_single_file_that_is_broken_or_a_bomb_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(os.urandom(1000))[:-100])
    with pytest.raises(UserError, match=r"x.gz cannot be read: it is broken or truncated"):
        read_file(path)
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    path.write_bytes(gzip.compress(bytes(1_000_000)))
    with pytest.raises(UserError, match="it unpacks to far more than its length"):
        read_file(path)
