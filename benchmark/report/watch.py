"""The live page of one suite: waits for the first record, then serves and follows."""

import sys
import time

from benchmark.errors import UserError
from benchmark.planned import PLANS
from benchmark.report.merge import FILE
from benchmark.report.page.source import Source
from benchmark.report.reading import Request, load
from benchmark.report.serve import listen, serve
from benchmark.report.session import page_source

POLL_SEC = 1.0


def watch(request: Request, port: int) -> None:
    """Serve the page of a suite until Ctrl-C; nothing is written, so a run may hold the folder.

    Args:
        request: Names the suite.
        port: On this machine, 0 for any that is free.

    Raises:
        UserError: The port cannot be had, or records cannot be read.
    """
    path = request.folder_of(request.suite) / FILE

    def source() -> Source:
        found = load(request).get(request.suite)
        if not found:
            raise UserError(f"no records of suite {request.suite!r} in {path}")
        return page_source(request, request.suite, found)

    with listen(port) as server:
        try:
            if not load(request):
                _say(f"no records in {path} yet; waiting for the first one, Ctrl-C ends it")
                while not load(request):
                    time.sleep(POLL_SEC)
            serve(server, source, [path, path.with_name(PLANS)], say=_say)
        except KeyboardInterrupt:
            _say("stopped serving; runs go on")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
