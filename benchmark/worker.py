"""Start-up of a local worker process: leave Ctrl-C to the driver, let SIGTERM save, import what every run needs."""

import logging
import signal
from typing import Any

from benchmark import stopping


def dask_setup(worker: Any) -> None:
    """Prepare the process that `worker` lives in; Dask calls this once at its start."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stopping.end_process)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    import benchmark.train  # noqa: F401
