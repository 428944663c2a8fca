"""A file server on this machine that breaks as it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple


class Asked(NamedTuple):
    """What a client wanted."""

    start: int
    if_range: str | None
    encoding: str | None


@dataclass
class Server:
    """What the server does; `lengths` are the bytes after which it drops each of the first connections."""

    content: bytes = b""
    lengths: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    says_length: bool = True
    shift: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve on a free port; `server.url` is where."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            _answer(self, server)

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}/file"
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def _answer(handler: BaseHTTPRequestHandler, server: Server) -> None:
    wanted = int((handler.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    server.asked.append(Asked(wanted, handler.headers["If-Range"], handler.headers["Accept-Encoding"]))
    if server.statuses:
        status = server.statuses.pop(0)
        if status != 200:
            handler.send_error(status)
            return
    total, if_range = len(server.content), handler.headers["If-Range"]
    changed = if_range is not None and if_range not in server.headers.values()
    start = wanted if server.ranges and not changed else 0
    if start >= total > 0:
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{total}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    start -= server.shift if start else 0
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
    if server.says_length:
        handler.send_header("Content-Length", str(total - start))
    for name, value in server.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    length = server.lengths.pop(0) if server.lengths else total
    handler.wfile.write(server.content[start : start + length])
