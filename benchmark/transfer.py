"""One file from one server: what is missing of it, over as many connections as bring it further."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.dataset import Source

if TYPE_CHECKING:
    from requests import Response

TIMEOUT_SEC = (10, 60)
"""Seconds to wait for a connection, and for the next bytes."""
SLOW_BYTES_PER_SEC, SLOW_SEC = 200_000, 20
"""A server that brings less for that long gives way to the next one, which goes on where it stopped."""
BLOCK = 1 << 18
"""Bytes that are written at once."""

_FINAL = range(400, 500)
_PASSING = (408, 425, 429)
"""Those of the statuses of a wrong request that may be another one later."""

Meter = Callable[[int], None]
"""Takes the number of bytes that are there."""


class FailedError(Exception):
    """One server did not bring the file; the text is a few words that say why."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class _CutError(FailedError):
    """The connection ended early."""


def pull(url: str, source: Source, part: Path, meter: Meter, *, patient: bool) -> None:
    """Bring the rest of a file, over as many connections as bring it further.

    Raises:
        FailedError: The server has it not, or not now, or, unless `patient`, is slow.
    """
    while True:
        before = length_of(part)
        try:
            return _receive(url, source, part, meter, _Pace(patient=patient))
        except _CutError:
            if length_of(part) <= before:
                raise


def _receive(url: str, source: Source, part: Path, meter: Meter, pace: "_Pace") -> None:
    """Bring the rest of a file, or all of it where the server cannot resume or has another file by now."""
    start = _start(source, part)
    if start and start == source.size:
        return
    with _connected(url, _headers(source, part, start)) as response:
        if response.status_code == 416:
            part.unlink()
            raise _CutError("it does not go on from where the file broke")
        _refuse(response)
        begin, said = _range(response)
        total = source.size if said is None else said
        if begin not in (0, start):
            raise FailedError("it sent another part than asked for")
        tag_of(part).write_text(_validator(response))
        with part.open("ab" if begin else "wb") as file:
            for block in response.raw.stream(BLOCK, decode_content=False):
                file.write(block)
                meter(file.tell())
                pace.check(len(block))
                if source.size is not None and file.tell() > source.size:
                    break
    if total is not None and length_of(part) < total:
        raise _CutError("the connection broke")


class _Pace:
    """Sends a slow server home, if there is no patience with it."""

    def __init__(self, *, patient: bool) -> None:
        self.patient = patient
        self.begun = time.monotonic()
        self.received = 0

    def check(self, length: int) -> None:
        """Count the bytes that came."""
        self.received += length
        passed = time.monotonic() - self.begun
        if not self.patient and passed >= SLOW_SEC and self.received < passed * SLOW_BYTES_PER_SEC:
            raise FailedError("it is too slow")


@contextmanager
def _connected(url: str, headers: dict[str, str]) -> "Iterator[Response]":
    """Yield the answer to a request; whatever fails on the way ends in a few words."""
    import requests  # takes a quarter of a second, which runs on data that are there do not need
    import urllib3

    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SEC) as response:
            yield response
    except requests.Timeout as error:
        raise _CutError("no answer") from error
    except requests.RequestException as error:
        raise _CutError("no connection") from error
    except urllib3.exceptions.HTTPError as error:
        raise _CutError("the connection broke") from error


def _start(source: Source, part: Path) -> int:
    """Return the byte to go on from; without checksum or tag nobody could tell whether two halves belong together."""
    return length_of(part) if source.checksum or (tag_of(part).exists() and tag_of(part).read_text()) else 0


def _headers(source: Source, part: Path, start: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", "User-Agent": "auxilearn-benchmark"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if not source.checksum:
            headers["If-Range"] = tag_of(part).read_text()
    return headers


def _refuse(response: "Response") -> None:
    """Refuse an answer that is not the file."""
    status = response.status_code
    if status not in (200, 206):
        final = status in _FINAL and status not in _PASSING
        raise FailedError(f"{status} {response.reason}".strip(), final=final)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise FailedError("a web page instead of the file", final=True)


def _range(response: "Response") -> tuple[int, int | None]:
    """Return the first byte that is sent and the length of the whole file, if the server says so."""
    if response.status_code == 206:
        sent, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        begin = sent.partition("-")[0]
        if not begin.isdecimal():
            raise FailedError("it does not say which part it sent")
        return int(begin), int(total) if total.isdecimal() else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _validator(response: "Response") -> str:
    """Return what the server knows this version of the file by; empty if by nothing that allows to resume."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def length_of(path: Path) -> int:
    """Return the length of a file in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def tag_of(part: Path) -> Path:
    """Return the file beside a part that holds what its server knows it by."""
    return part.with_name(f"{part.name}.tag")
