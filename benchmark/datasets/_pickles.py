"""Pickles that hold arrays and text and nothing that runs."""

import io
import pickle
from typing import Any

import numpy as np

from benchmark.dataset import foreign

_RECONSTRUCT = np.empty(0).__reduce__()[0]
_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


def read_pickle(content: bytes, where: str) -> dict[str, Any]:
    """Return the dictionary in a pickle, with text for its keys.

    Raises:
        UserError: It is broken, holds no dictionary, or asks for more than arrays; the line names `where`.
    """
    try:
        held = _Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a broken pickle may raise anything, and nothing else runs in here
        raise foreign(where, f"not a pickle of arrays ({error})") from error
    if not isinstance(held, dict):
        raise foreign(where, "not a pickle of a dictionary")
    return {
        key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): value for key, value in held.items()
    }


class _Reader(pickle.Unpickler):
    """Builds arrays and plain values."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what an array is rebuilt with; refuse all else."""
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ADMITTED[module, name]
