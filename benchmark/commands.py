"""How every command ends: mistakes in one line with status 2, Ctrl-C with status 130."""

import sys

import typer

from benchmark.errors import EXIT_STATUS, UserError

INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM, as of a shell's children."""


def run_app(app: typer.Typer, name: str) -> int:
    """Run a command line and return its exit status."""
    try:
        typer.main.get_command(app).main(standalone_mode=False, prog_name=name)
        return 0
    except UserError as error:
        message = str(error)
    except KeyboardInterrupt:
        print("stopped; finished runs are recorded, and the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # typer's own errors share no public base class across its versions
        if not hasattr(error, "format_message"):
            raise
        message = error.format_message()  # type: ignore[attr-defined]
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return EXIT_STATUS
