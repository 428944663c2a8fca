"""Writes runs to W&B in a process of its own: whatever befalls W&B here, the command that told it goes on.

Standard input has a run a line, the JSON of the arguments of `write`; standard output answers each by a line, the JSON
of null, or of why W&B failed, and then nothing more is written. It imports neither torch nor the suite.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any


def write(
    init: dict[str, Any], rows: Sequence[tuple[int, dict[str, float]]], summary: dict[str, Any], exit_code: int
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
    for step, values in rows:
        run.log(values, step=step)
    run.summary.update(summary)
    run.finish(exit_code=exit_code)


def main() -> int:
    """Write what standard input has and end when the last run's file is whole, which `finish` does not wait for."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # where W&B prints
    for line in sys.stdin:
        try:
            write(**json.loads(line))
        except Exception as error:
            print(json.dumps(f"{type(error).__name__}: {error}"), file=answers)
            break
        print(json.dumps(None), file=answers)
    if wandb := sys.modules.get("wandb"):
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
