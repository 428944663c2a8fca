"""Mistakes of the user, each told in one line."""

import difflib
import errno
from collections.abc import Iterable

EXIT_STATUS = 2

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the system's errors for a disk without room."""

FORBIDDEN = (errno.EACCES, errno.EPERM)
"""Numbers of the system's errors for what may not be read or written."""


class UserError(Exception):
    """A mistake the user can mend; its text is one line that says what was found and what is allowed."""


def unknown(kind: str, found: str, allowed: Iterable[str], *, of: str = "") -> UserError:
    """Return the error for a name that is not among those allowed, which may be those of something."""
    names = list(allowed)
    whose = f" of {of}" if of else ""
    return UserError(f"unknown {kind} {found!r}{whose}{meant(found, names)}; choose one of: {', '.join(names)}")


def meant(found: str, names: Iterable[str]) -> str:
    """Return in brackets which of some names could have been meant; nothing where none is near."""
    near = difflib.get_close_matches(found.lower().replace("_", "-"), list(names), n=1, cutoff=0.7)
    return f" (did you mean {near[0]}?)" if near else ""
