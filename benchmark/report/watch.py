"""The live page of one suite: waits for the first record, then serves and follows."""

import time

from benchmark.engine import tell
from benchmark.planned import PLANS
from benchmark.report.merge import FILE
from benchmark.report.page.source import Source
from benchmark.report.reading import Request, load, read_suite
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
    path, said = request.folder_of(request.suite) / FILE, set[str]()

    def once(text: str) -> None:
        if text not in said:
            said.add(text)
            tell(text)

    def source() -> Source:
        return page_source(request, request.suite, read_suite(request, once))

    with listen(port) as server:
        try:
            if not load(request):
                tell(f"no records in {path} yet; waiting for the first one, Ctrl-C ends it")
                while not load(request):
                    time.sleep(POLL_SEC)
            serve(server, source, [path, path.with_name(PLANS)], say=tell)
        except KeyboardInterrupt:
            tell("stopped serving; runs go on")
