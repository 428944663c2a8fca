"""The live page: served on this machine alone, made anew when records are added."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from benchmark.errors import UserError
from benchmark.report.page.build import parts, render
from benchmark.report.page.source import Source

HOST = "127.0.0.1"
"""Never another one: the page is for whoever sits at this machine or forwards the port."""

NAMES = ("127.0.0.1", "localhost")
"""Hosts that a browser may ask for; any other name is another site's that points here."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

REST = 4
"""Time between two makings of the page in durations of the last one, so that workers keep the cores."""

Load = Callable[[], Source]
Version = tuple[tuple[int, int], ...]


class Site:
    """The newest page of some records files.

    Args:
        load: Reads the records and makes the table.
        files: Files that are watched.
    """

    def __init__(self, load: Load, files: Sequence[Path]) -> None:
        self._load = load
        self._files = files
        self._lock = threading.Lock()
        self._version = self._look()
        self._source = load()
        self._problem = ""
        self._due = 0.0

    def version(self) -> dict[str, Any]:
        """Return what changes when the page does, and how far the runs are; look for new records first."""
        with self._lock:
            self._refresh()
            return self._live()

    def page(self) -> str:
        """Return the whole page."""
        with self._lock:
            self._refresh()
            return render(self._source, live=self._live())

    def data(self) -> dict[str, Any]:
        """Return what a page needs to become the newest one."""
        with self._lock:
            self._refresh()
            shown, packs = parts(self._source)
            return {"shown": {**shown, **self._live()}, "packs": packs}

    def record(self, digest: str) -> str | None:
        """Return the whole record of a run as JSON, or None if there is none."""
        with self._lock:
            line = self._source.lines.get(digest)
        return None if line is None else line.text.decode()

    def _refresh(self) -> None:
        found = self._look()
        if found == self._version or time.monotonic() < self._due:
            return
        started = time.monotonic()
        try:
            self._source = self._load()
            self._problem = ""
        except UserError as error:
            self._problem = str(error)
        self._version = found
        self._due = time.monotonic() + REST * (time.monotonic() - started)

    def _look(self) -> Version:
        """Return time and size of each file, zeros for one that is not there."""
        found = []
        for path in self._files:
            try:
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size))
            except OSError:
                found.append((0, 0))
        return tuple(found)

    def _name(self) -> str:
        return "-".join(f"{changed:x}.{size:x}" for changed, size in self._version)

    def _live(self) -> dict[str, Any]:
        runs = len(self._source.records)
        progress = self._problem or f"{runs} {'run' if runs == 1 else 'runs'}, refreshed as workers finish more"
        return {"live": True, "version": self._name(), "progress": progress}


class Server(ThreadingHTTPServer):
    """Serves this machine alone; what it serves is set once it is there."""

    daemon_threads = True
    site: Site


def listen(port: int) -> Server:
    """Return a server that has its port, 0 for any that is free.

    Raises:
        UserError: The port cannot be had.
    """
    try:
        return Server((HOST, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot serve on port {port} ({reason}); choose another one with --port") from None


def serve(server: Server, load: Load, files: Sequence[Path], *, say: Callable[[str], None]) -> None:
    """Serve the page until an interrupt.

    Args:
        server: From `listen`.
        load: Reads the records and makes the tables; never writes.
        files: Files that are watched.
        say: Prints a line to the user.

    Raises:
        UserError: The records cannot be read.
    """
    server.site = Site(load, files)
    say(f"http://{HOST}:{server.server_port}/ shows the results and follows them; Ctrl-C ends it")
    server.serve_forever()


class Handler(BaseHTTPRequestHandler):
    """Answers a browser on this machine: the page, its version, its data, and the record of a run."""

    server_version = "report"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer."""
        site = cast(Server, self.server).site
        if self.headers.get("Host", "").partition(":")[0] not in NAMES:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", "this is not the host that you asked for\n")
        elif self.path == "/":
            self._answer(HTTPStatus.OK, "text/html", site.page())
        elif self.path == "/version":
            self._answer(HTTPStatus.OK, "application/json", json.dumps(site.version()))
        elif self.path == "/data":
            self._answer(HTTPStatus.OK, "application/json", json.dumps(site.data()))
        elif self.path.startswith("/record/") and (record := site.record(self.path.removeprefix("/record/"))):
            self._answer(HTTPStatus.OK, "application/json", record)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", "there is no such page\n")

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        headers = {**HEADERS, "Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError):  # the browser went away
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal is for what `serve` says."""
