"""MATLAB files of version 5."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from benchmark.dataset import foreign

_TEXT_BYTES = 116
"""Length of the text that such a file starts with."""


def read_mat(content: bytes, where: str, *names: str) -> list[np.ndarray]:
    """Return these variables of a file; every one has at least two axes, as MATLAB has it.

    Raises:
        UserError: The file is broken, truncated or foreign, or lacks one; the line names `where`.
    """
    try:
        held = loadmat(io.BytesIO(content), variable_names=names)
    except Exception as error:  # a broken file may raise anything, and nothing in it runs
        raise foreign(where, f"not a MATLAB file that can be read ({error})") from error
    lacking = [name for name in names if name not in held]
    if lacking:
        raise foreign(where, f"it holds no `{lacking[0]}`")
    return [held[name] for name in names]


def write_mat(path: Path, **variables: Any) -> None:
    """Write a file with these variables that is the same whenever it is written."""
    file = io.BytesIO()
    savemat(file, variables, do_compression=True)
    text = b"MATLAB 5.0 MAT-file, drawn by the benchmark".ljust(_TEXT_BYTES)
    path.write_bytes(text + file.getvalue()[_TEXT_BYTES:])
