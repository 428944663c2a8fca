"""Files of tensors: the same bits again; whatever is damaged or forged is refused, and nothing in a file ever runs."""

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from benchmark import tensorfile
from benchmark.tensorfile import MAGIC, Damaged
from tests.contract.loop import same

VALUE = {
    "weights": {"a": torch.randn(3, 4), "b": torch.tensor(2.5, dtype=torch.float64)},
    3: [torch.arange(5), (True, None, "text", 0.1, -7)],
    "none": torch.empty(0, 3),
}


def again(value: Any, folder: Path) -> Any:
    path = folder / "file"
    path.unlink(missing_ok=True)
    tensorfile.write(path, value)
    return tensorfile.read(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
nested = st.recursive(
    plain,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@given(value=nested)
def test_plain_values_come_back_as_they_were(value: Any, folder: Path) -> None:
    found = again(value, folder)
    assert repr(found) == repr(value), "types and order too"


@pytest.mark.parametrize("dtype", tensorfile._DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4, 5)], ids=str)
def test_tensors_come_back_bit_for_bit(dtype: torch.dtype, shape: tuple[int, ...], folder: Path) -> None:
    value = torch.randint(0, 2, shape).to(dtype) / (1 if not dtype.is_floating_point else 3)
    value = value.to(dtype)
    found = again({"it": value}, folder)["it"]
    assert (found.dtype, found.shape) == (dtype, value.shape)
    assert torch.equal(found, value)


def test_layouts_stay_and_views_do_not_take_their_whole_with_them(folder: Path) -> None:
    image = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    turned, part = torch.randn(4, 3).t(), torch.randn(10_000)[5:7]
    found = again([image, turned, part, torch.ones(2, 1).expand(2, 3)], folder)
    assert found[0].stride() == image.stride()
    assert found[1].stride() == turned.stride()
    assert all(
        torch.equal(one, other) for one, other in zip(found, (image, turned, part, torch.ones(2, 3)), strict=True)
    )
    assert (folder / "file").stat().st_size < 4000
    assert all(tensor.data_ptr() % 64 == 0 for tensor in found), "some products depend on it in their last bit"


def test_special_numbers_stay_in_tensors(folder: Path) -> None:
    value = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])
    assert torch.equal(again(value, folder).view(torch.int32), value.view(torch.int32))


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, torch.complex(torch.ones(1), torch.ones(1)), b"bytes"])
def test_nothing_else_is_written(value: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a checkpoint cannot hold"):
        tensorfile.write(tmp_path / "file", value)
    assert not (tmp_path / "file").exists()


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tensorfile.write(path, VALUE)
    assert same(tensorfile.read(path), VALUE)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(Damaged):
            tensorfile.read(path)


def test_a_file_with_any_bit_turned_or_byte_added_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tensorfile.write(path, VALUE)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        with pytest.raises(Damaged):
            tensorfile.read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(Damaged, match="cut short or was changed"):
        tensorfile.read(path)


class Bomb:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def signed(header: bytes, rest: bytes = b"") -> bytes:
    """Return a file with a right digest."""
    body = MAGIC + len(header).to_bytes(8, "big") + header + rest
    return body + hashlib.sha256(body).digest()


def test_a_forged_file_runs_nothing(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "file"
    bomb = pickle.dumps(Bomb(trace))
    torch.save({"state": Bomb(trace)}, tmp_path / "saved")
    for content in (bomb, (tmp_path / "saved").read_bytes(), signed(bomb), MAGIC + bomb):
        path.write_bytes(content)
        with pytest.raises(Damaged):
            tensorfile.read(path)
    assert not trace.exists()
    pickle.loads(bomb)
    assert trace.exists(), "it would have shown"


@pytest.mark.parametrize(
    "header",
    [
        {"tensor": ["float32", [10**12], [0]]},
        {"tensor": ["float32", [-1], [0]]},
        {"tensor": ["float32", [2], [1]]},
        {"tensor": ["Tensor", [2], [0]]},
        {"tensor": "float32"},
        {"object": ["os.system", "true"]},
        {"list": [], "dict": []},
        {"dict": [[{"list": []}, 1]]},
        {"dict": 3},
        {"list": None},
    ],
    ids=str,
)
def test_a_forged_header_is_refused(header: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(signed(json.dumps(header).encode(), bytes(4)))
    with pytest.raises(Damaged, match="makes no sense"):
        tensorfile.read(path)


@pytest.mark.parametrize("header", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 10_000])
def test_a_header_that_is_no_json_is_refused(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(signed(header))
    with pytest.raises(Damaged, match="makes no sense"):
        tensorfile.read(path)


def test_what_comes_back_shares_no_memory(folder: Path) -> None:
    shared = torch.zeros(3)
    first, second = again([shared, shared], folder)
    assert isinstance(first, Tensor)
    first.add_(1)
    assert torch.equal(second, torch.zeros(3))
