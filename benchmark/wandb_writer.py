"""Writes runs to W&B in a process of its own: whatever befalls W&B here, the command that told it goes on.

Standard input has a run a line, the JSON of the arguments of `write`; standard output answers each by a line, the JSON
of null, or of why W&B failed, and then nothing more is written. Empty lines say that a long run is still being written.
It imports neither torch nor the suite.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

PATIENCE_SEC = 120.0
"""Time in which W&B has to come to the next line, or to its end; what is not written is left to the next command."""

ROWS = 1000
"""Rows of a run after which it says that it goes on."""


def write(
    answers: TextIO,
    init: dict[str, Any],
    rows: Sequence[tuple[int, dict[str, float]]],
    summary: dict[str, Any],
    exit_code: int,
) -> None:
    """Write one run: what `wandb.init` takes, what to log at which step, the summary and how it ended."""
    import wandb

    run = wandb.init(
        **init,
        reinit="create_new",
        settings=wandb.Settings(
            console="off",
            silent=True,
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            disable_git=True,
            host="",  # else the name of this machine
            save_code=False,
            x_save_requirements=False,
        ),
    )
    for number, (step, values) in enumerate(rows, start=1):
        run.log(values, step=step)
        if number % ROWS == 0:
            print(file=answers)
    run.summary.update(summary)
    run.finish(exit_code=exit_code)


def lines() -> Iterator[str]:
    """Return the lines of standard input; after their end this process has `PATIENCE_SEC` for its own."""
    found: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        with open(0, closefd=False) as told:  # an end of the process does not wait for it, as it would for sys.stdin
            for line in told:
                found.put(line)
        found.put(None)
        time.sleep(PATIENCE_SEC)  # nobody may be left who would wait for W&B
        os._exit(1)

    threading.Thread(target=read, name="standard input", daemon=True).start()
    return iter(found.get, None)


def main() -> int:
    """Write what standard input has and end when the last run's file is whole, which `finish` does not wait for."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # where W&B prints
    for line in lines():
        try:
            write(answers, **json.loads(line))
        except Exception as error:
            print(json.dumps(f"{type(error).__name__}: {error}".removesuffix(": ")), file=answers)
            break
        print(json.dumps(None), file=answers)
    if wandb := sys.modules.get("wandb"):
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
