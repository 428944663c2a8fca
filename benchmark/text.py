"""Text of names and errors: one visible line, nothing that tells who ran it, no formula in a spreadsheet."""

import getpass
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_ADDRESS = re.compile(r"\b(?:tcp|tls|ucx|ucxx|inproc)://[^\s'\",;)]+")
_CREDENTIALS = re.compile(r"(\w+://)[^\s/@]*@")
_GIVEN = re.compile(r"(?i)\b(password|passwd|pwd|token|secret|api_?key)=[^\s&'\",;)]+")
_QUOTED = re.compile(r"(['\"])(?:~|file://)?/(?:[^'\"/]*/)+([^'\"/]*)\1")
_PATH = re.compile(r"(?<![\w.…:/])(?:~|file://)?/(?:[^\s'\"/,;()]+/)+([^\s'\"/,;()]*)")
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW")

_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
_FORMULA = tuple("=+-@")

SHORTEST_SECRET = 8
"""Characters of a variable's value from which it is looked for: shorter ones are words."""


def plain(text: object) -> str:
    r"""Return text as one line of visible characters: white space as blanks, all else as escapes such as `\x1b`."""
    whole = str(text)
    return whole if is_plain(whole) else "".join(map(_visible, whole))


def on_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream of this process is a terminal; None is one that was closed before it began."""
    return stream is not None and stream.isatty()


def is_plain(text: str) -> bool:
    """Return whether text is one line of visible characters; joiners, which some scripts need in words, are."""
    return text.translate(_JOINERS).isprintable()


def spreadsheet(value: object) -> object:
    """Return a cell of a CSV file: text that a spreadsheet would take for a formula has an apostrophe before it."""
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.startswith(_FORMULA) else value


def _visible(character: str) -> str:
    if is_plain(character):
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def anonymous(text: str) -> str:
    """Return text without secrets, folders, and the names of user and machine; a file's own name stays."""
    for secret in _secrets():
        text = text.replace(secret, "…")
    text = _CREDENTIALS.sub(r"\1", _GIVEN.sub(r"\1=…", _ADDRESS.sub("a worker", text)))
    for folder in {str(Path.cwd()), str(Path("~").expanduser())} - {"/"}:
        text = text.replace(folder, "/…")  # its own name may have blanks in it, at which the patterns end
    text = _PATH.sub(r"…/\1", _QUOTED.sub(r"\1…/\2\1", text))
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text)
    return text


def _secrets() -> Iterator[str]:
    """Yield the values of this process's variables that are named as secrets are."""
    yield from (v for name, v in os.environ.items() if _SECRET.search(name.upper()) and len(v) >= SHORTEST_SECRET)


def _names() -> Iterator[str]:
    """Yield the names of machine and user, where they are somebody's own."""
    host = socket.gethostname()
    yield from (name for name in (host, host.partition(".")[0]) if name not in ("", "localhost"))
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # of Python 3.13 on the latter: this user has no name
        return
    if user not in ("", "root"):
        yield user
