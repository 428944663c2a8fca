"""How every command ends: mistakes in one line with status 2, Ctrl-C with status 130, failed runs with status 1."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from benchmark.errors import EXIT_STATUS, FORBIDDEN, FULL, UserError, unknown
from benchmark.text import plain

FAILED = 1
"""Exit status of a command of whose runs one failed."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, SIGTERM or the end of the terminal, as of a shell's children after Ctrl-C."""

DEFAULT_RESULTS = Path("results")


def run_app(app: typer.Typer, name: str) -> int:
    """Run a command line and return its exit status."""
    try:
        status = typer.main.get_command(app).main(standalone_mode=False, prog_name=name) or 0
    except UserError as error:
        return _refuse(str(error))
    except OSError as error:
        if error.errno in FORBIDDEN:
            return _refuse(": ".join(str(each) for each in (error.filename, "permission denied") if each is not None))
        if error.errno not in FULL:
            raise
        return _refuse(f"{error.strerror}; finished runs are recorded: make room and run the command again")
    except (KeyboardInterrupt, typer.Abort):  # some versions of typer return the status instead
        status = INTERRUPTED
    except Exception as error:  # typer's own errors share no public base class across its versions
        if not hasattr(error, "format_message"):
            raise
        return _refuse(_told(error))
    if status == INTERRUPTED:
        print("stopped; finished runs are recorded, and the same command goes on from here", file=sys.stderr)
    return status


def _told(error: Any) -> str:
    """Return what typer says of a mistake, with what could have been meant where a command is none."""
    commands = getattr(getattr(getattr(error, "ctx", None), "command", None), "commands", {})
    message = error.format_message()
    if not commands or not message.startswith("No such command") or "Did you mean" in message:
        return message
    return f"{message.rstrip('.')}; choose one of: {', '.join(commands)}"


def _refuse(message: str) -> int:
    print(f"error: {plain(' '.join(message.split()))}", file=sys.stderr)
    return EXIT_STATUS


def words(text: str | None, name: str) -> tuple[str, ...]:
    """Return the words between commas; none where nothing is given.

    Raises:
        UserError: What is given for the option `name` holds no word.
    """
    found = tuple(word for word in (part.strip() for part in (text or "").split(",")) if word)
    if text is not None and not found:
        raise UserError(f"{name} takes names, by comma, not {text!r}")
    return found


def chosen(kind: str, text: str | None, names: Sequence[str]) -> list[str]:
    """Return the names between commas, each once, or all there are.

    Raises:
        UserError: There is none of a name, or no name.
    """
    found = list(names) if text is None else [name for name in map(str.strip, text.split(",")) if name]
    if text is not None and not found:
        raise UserError(f"{text!r} names no {kind}; choose one of: {', '.join(names)}")
    for name in found:
        if name not in names:
            raise unknown(kind, name, names)
    return list(dict.fromkeys(found))
