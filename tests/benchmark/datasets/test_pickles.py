import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.datasets._pickles import read_pickle
from benchmark.errors import UserError
from tests.benchmark.datasets.python2 import python2_pickle

HELD = {b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"labels": [1, 2, 3], b"names": [b"a", b"b"]}


def same(found: dict[str, Any]) -> bool:
    return list(found) == ["data", "labels", "names"] and np.array_equal(found["data"], HELD[b"data"])


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_plain_values_are_read(protocol: int) -> None:
    found = read_pickle(pickle.dumps(HELD, protocol=protocol), "x")
    assert same(found)
    assert (found["labels"], found["names"]) == ([1, 2, 3], [b"a", b"b"])
    assert same(read_pickle(pickle.dumps({key.decode(): value for key, value in HELD.items()}, protocol=4), "x"))


def test_what_python_2_wrote_is_read() -> None:
    content = python2_pickle(HELD)
    assert b"cnumpy.core.multiarray\n_reconstruct" in content
    assert b"_codecs" not in content
    found = read_pickle(content, "x")
    assert same(found)
    assert found["names"] == [b"a", b"b"]


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def test_nothing_runs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    hostile = Hostile(os.mkdir, str(trace))
    for held in (hostile, {"data": hostile}, {b"data": [np.zeros(3), hostile]}):
        content = pickle.dumps(held, protocol=3)
        with pytest.raises(UserError, match=r"it asks for posix.mkdir"):
            read_pickle(content, "x")
    assert not trace.exists()
    pickle.loads(content)
    assert trace.exists(), "the content does what is feared"


@pytest.mark.parametrize(
    "function", [eval, getattr, __import__, np.load, np.fromfile, np.memmap, io.open], ids=lambda given: given.__name__
)
def test_no_function_is_admitted_by_any_name(function: Any) -> None:
    with pytest.raises(UserError, match="it asks for"):
        read_pickle(pickle.dumps(Hostile(function, "x"), protocol=4), "x")


def test_objects_in_an_array_are_not_admitted_either() -> None:
    with pytest.raises(UserError, match="it asks for"):
        read_pickle(pickle.dumps({"data": np.array([print, os.system])}, protocol=4), "x")


@pytest.mark.parametrize(
    "content",
    [b"", b"x", pickle.dumps([1, 2]), pickle.dumps(HELD)[:-40], b"\x80\x04" + b"(" * 100, b"<html>", b"\x80\x7f."],
)
def test_what_is_no_pickle_of_arrays_is_named(content: bytes) -> None:
    with pytest.raises(UserError, match=r"^here: not a pickle of a"):
        read_pickle(content, "here")
