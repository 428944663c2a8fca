"""Downloads against a server on this machine that cuts, lies, stalls and refuses."""

import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import download as rounds
from benchmark import transfer as module
from benchmark.dataset import Dataset, Source
from benchmark.download import download
from benchmark.errors import UserError
from tests.benchmark.servers import Server, serving

CONTENT = bytes(range(256)) * 40
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
NAME = "file.tar"


class Official(Dataset):
    """A data set of given files."""

    homepage = "https://example.org/home"

    def __init__(self, *sources: Source) -> None:
        super().__init__("official")
        self.sources = sources  # type: ignore[misc]

    find = decode = write_sample = lambda *_: None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(CONTENT)) as started:
        yield started


@pytest.fixture
def mirror() -> Iterator[Server]:
    with serving(Server(CONTENT)) as started:
        yield started


def bring(folder: Path, *urls: str, size: int | None = len(CONTENT), checksum: str = MD5) -> list[str]:
    """Download one file, and return what was said meanwhile."""
    said: list[str] = []
    download(Official(Source(NAME, urls, size, checksum)), folder, say=said.append, pause_sec=0)
    return said


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".download.lock"}


def test_a_file_arrives_whole(server: Server, tmp_path: Path) -> None:
    said = bring(tmp_path / "deep" / "down", server.url)
    assert (tmp_path / "deep" / "down" / NAME).read_bytes() == CONTENT
    assert left(tmp_path / "deep" / "down") == {NAME}
    assert said == ["downloading file.tar (0.0 MB) from 127.0.0.1"]
    assert [asked.encoding for asked in server.asked] == ["identity"]


def test_what_is_there_is_not_fetched(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"as it is")
    assert bring(tmp_path, server.url) == []
    assert (tmp_path / NAME).read_bytes() == b"as it is"
    assert not server.asked


@pytest.mark.parametrize("known", [{}, {"size": None}, {"checksum": ""}, {"size": None, "checksum": ""}])
def test_a_cut_connection_goes_on_where_it_broke(server: Server, tmp_path: Path, known: dict) -> None:
    server.headers["ETag"] = '"one"'
    server.lengths = [3000, 10, 4000]
    bring(tmp_path, server.url, **known)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [0, 3000, 3010, 7010]
    tag = None if known.get("checksum") is None else '"one"'
    assert [asked.if_range for asked in server.asked] == [None, tag, tag, tag]


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_cut_shows_even_where_the_server_does_not_say_how_much_it_sends(
    server: Server, tmp_path: Path, size: int | None
) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:2000])
    server.says_length, server.lengths = False, [3000, 4000]
    bring(tmp_path, server.url, size=size)
    assert [asked.start for asked in server.asked] == [2000, 5000, 9000]


def test_a_cut_shows_where_only_the_size_is_known(server: Server, tmp_path: Path) -> None:
    server.says_length, server.lengths = False, [3000]
    bring(tmp_path, server.url)
    assert [asked.start for asked in server.asked] == [0, 3000]


def test_a_later_run_goes_on_with_what_an_earlier_one_left(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:5000])
    bring(tmp_path, server.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [5000]
    assert left(tmp_path) == {NAME}


def test_an_interrupted_download_can_go_on(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(BaseException):
        pass

    def stop(self: object, length: int) -> None:
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(module, "BLOCK", 1000)
        patch.setattr(module._Pace, "check", stop)
        with pytest.raises(Stop):
            bring(tmp_path, server.url)
    assert left(tmp_path) == {f"{NAME}.part", f"{NAME}.part.tag"}
    bring(tmp_path, server.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [0, 1000]


def test_a_complete_part_is_verified_without_asking_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    bring(tmp_path, server.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert not server.asked


def test_halves_that_nobody_can_tell_apart_are_not_joined(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 5000)
    bring(tmp_path, server.url, checksum="")
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [0]


@pytest.mark.parametrize("tag", ['"two"', 'W/"weak"', ""])
def test_a_file_that_changed_on_the_server_is_fetched_anew(server: Server, tmp_path: Path, tag: str) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 5000)
    (tmp_path / f"{NAME}.part.tag").write_text('"one"' if tag == '"two"' else "")
    server.headers["ETag"] = tag
    bring(tmp_path, server.url, checksum="")
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_weak_tag_is_no_ground_to_resume(server: Server, tmp_path: Path) -> None:
    server.headers = {"ETag": 'W/"weak"'}
    server.lengths = [3000]
    bring(tmp_path, server.url, checksum="")
    assert [asked.start for asked in server.asked] == [0, 0]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_date_is_ground_to_resume(server: Server, tmp_path: Path) -> None:
    server.headers = {"Last-Modified": "Wed, 01 Jan 2020 00:00:00 GMT"}
    server.lengths = [3000]
    bring(tmp_path, server.url, checksum="")
    assert [asked.start for asked in server.asked] == [0, 3000]


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.lengths = False, [3000]
    bring(tmp_path, server.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [0, 3000]


def test_a_wrong_part_is_not_joined(server: Server, mirror: Server, tmp_path: Path) -> None:
    server.shift, server.lengths = 7, [3000]
    bring(tmp_path, server.url, mirror.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in mirror.asked] == [3000]


def test_too_long_a_part_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * (len(CONTENT) + 1))
    bring(tmp_path, server.url, size=None)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_connection_that_never_brings_more_ends(server: Server, tmp_path: Path) -> None:
    server.lengths = [3000] + [0] * 100
    with pytest.raises(UserError, match="the connection broke"):
        bring(tmp_path, server.url)
    assert len(server.asked) == 1 + rounds.ROUNDS
    assert left(tmp_path) >= {f"{NAME}.part"}
    assert NAME not in left(tmp_path)


@pytest.mark.parametrize("damage", [b"x" + CONTENT[1:], CONTENT + b"x", CONTENT[:-1], b""])
def test_another_file_is_refused_and_the_mirror_asked(
    server: Server, mirror: Server, tmp_path: Path, damage: bytes
) -> None:
    server.content = damage
    bring(tmp_path, server.url, mirror.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert server.asked
    assert mirror.asked


@pytest.mark.parametrize(
    ("damage", "known", "why"),
    [
        (b"x" + CONTENT[1:], {}, f"another checksum than {MD5}"),
        (b"x" + CONTENT[1:], {"size": None}, f"another checksum than {MD5}"),
        (CONTENT[:-1], {}, "10,239 bytes instead of 10,240"),
        (CONTENT[:-1], {"checksum": ""}, "10,239 bytes instead of 10,240"),
        (CONTENT * 2, {"checksum": ""}, "bytes instead of 10,240"),
    ],
)
def test_a_wrong_file_never_appears(server: Server, tmp_path: Path, damage: bytes, known: dict, why: str) -> None:
    server.content = damage
    with pytest.raises(UserError, match=why):
        bring(tmp_path, server.url, **known)
    assert left(tmp_path) <= {f"{NAME}.part.tag"}


def test_a_server_that_sends_without_end_is_stopped(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", 1000)
    server.content, server.says_length = CONTENT * 50, False
    with pytest.raises(UserError, match=r"11,000 bytes instead of 10,240"):
        bring(tmp_path, server.url)


def test_sha256_is_checked_too(server: Server, tmp_path: Path) -> None:
    bring(tmp_path, server.url, checksum="sha256:" + hashlib.sha256(CONTENT).hexdigest())
    assert left(tmp_path) == {NAME}
    with pytest.raises(UserError, match="sha256"):
        bring(tmp_path / "other", server.url, checksum="sha256:" + "0" * 64)


def test_passing_trouble_is_tried_again_and_final_trouble_is_not(
    server: Server, mirror: Server, tmp_path: Path
) -> None:
    server.statuses = [404] * 9
    mirror.statuses = [503, 429]
    said = bring(tmp_path, server.url, mirror.url)
    assert len(said) == 2, "each server is named once"
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert (len(server.asked), len(mirror.asked)) == (1, 3)


def test_pauses_grow_between_rounds(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    server.statuses = [503] * 9
    source = Source(NAME, (server.url,), None, "")
    with pytest.raises(UserError, match="503 Service Unavailable"):
        download(Official(source), tmp_path, say=lambda line: None, pause_sec=3)
    assert [pause for pause in slept if pause >= 1] == [3, 6]


def test_a_web_page_is_not_the_file(server: Server, tmp_path: Path) -> None:
    server.headers["Content-Type"] = "text/html; charset=utf-8"
    with pytest.raises(UserError, match="a web page instead of the file"):
        bring(tmp_path, server.url, size=None, checksum="")
    assert len(server.asked) == 1


def test_compressed_content_is_kept_as_it_is_sent(server: Server, tmp_path: Path) -> None:
    server.headers["Content-Encoding"] = "x-gzip"
    bring(tmp_path, server.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_slow_server_gives_way(
    server: Server, mirror: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SEC", 0)
    monkeypatch.setattr(module, "SLOW_BYTES_PER_SEC", 1e15)
    monkeypatch.setattr(module, "BLOCK", 1000)
    bring(tmp_path, server.url, mirror.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked + mirror.asked] == [0, 1000]


def test_a_server_that_is_fast_enough_stays(
    server: Server, mirror: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SEC", 0)
    monkeypatch.setattr(module, "SLOW_BYTES_PER_SEC", 1e-3)
    monkeypatch.setattr(module, "BLOCK", 1000)
    bring(tmp_path, server.url, mirror.url)
    assert not mirror.asked


def test_a_slow_server_is_better_than_none(
    server: Server, mirror: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SEC", 0)
    monkeypatch.setattr(module, "SLOW_BYTES_PER_SEC", 1e15)
    monkeypatch.setattr(module, "BLOCK", 1000)
    mirror.statuses = [404]
    bring(tmp_path, server.url, mirror.url)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [asked.start for asked in server.asked] == [0, 1000]


def test_a_slow_server_keeps_a_file_that_another_could_not_go_on_with(
    server: Server, mirror: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SEC", 0)
    monkeypatch.setattr(module, "SLOW_BYTES_PER_SEC", 1e15)
    bring(tmp_path, server.url, mirror.url, checksum="")
    assert not mirror.asked


def test_no_network_says_what_to_get_and_where_to_put_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        sources = (Source("there"), Source("a.tar", (url,)), Source("b.tar", ("https://example.org/b",)))
        (tmp_path / "there").touch()
        with pytest.raises(UserError) as error:
            download(Official(*sources), tmp_path, say=lambda line: None, pause_sec=0)
    assert str(error.value) == (
        f"official: a.tar could not be downloaded (127.0.0.1: no connection); get a.tar from {url}, "
        f"b.tar from https://example.org/b and put them into {tmp_path}, or try --sample"
    )


def test_what_takes_a_registration_names_the_page(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"on its page alone\); get file.tar from https://example.org/home and put it into"
    ):
        bring(tmp_path)


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SEC", (0.05, 0.05))
    monkeypatch.setattr(rounds, "ROUNDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(UserError, match="no answer"):
            bring(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/file")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match="cannot be written"):
        bring(tmp_path / "no", "http://127.0.0.1:1/file")


def test_a_full_disk_is_no_server_trouble(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module._Pace, "check", full)
    with pytest.raises(OSError, match="No space left"):
        bring(tmp_path, server.url)
    assert len(server.asked) == 1
