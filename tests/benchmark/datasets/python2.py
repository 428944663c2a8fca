"""Pickles as Python 2 wrote them, in which the official CIFAR files are."""

import io
import pickle
import struct
from typing import Any

_Pickler: Any = pickle._Pickler  # the one whose instructions can be changed


class _Python2Pickler(_Pickler):
    """Writes all text by the instructions for `str` of Python 2, protocol 2."""


def _save_str(pickler: Any, text: bytes | str) -> None:
    given = text if isinstance(text, bytes) else text.encode("ascii")
    short = len(given) < 256
    length = bytes([len(given)]) if short else struct.pack("<i", len(given))
    pickler.write((pickle.SHORT_BINSTRING if short else pickle.BINSTRING) + length + given)
    pickler.memoize(text)


_Python2Pickler.dispatch = {**_Pickler.dispatch, bytes: _save_str, str: _save_str}


def python2_pickle(held: Any) -> bytes:
    """Return plain values and arrays as Python 2 with numpy 1 pickled them."""
    file = io.BytesIO()
    _Python2Pickler(file, protocol=2).dump(held)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
