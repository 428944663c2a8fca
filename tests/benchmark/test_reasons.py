"""Why a run could not be finished, in one line: what it says, what it names, and what it keeps to itself."""

import getpass
import socket
from pathlib import Path

import pytest
import torch

from benchmark import memory
from benchmark.failures import LONGEST, reason_of

CPU = torch.device("cpu")
CUDA_TEXT = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.2 GiB is free."
)


class Wordless(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Leaving(Exception):
    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("a\nb"), "ValueError: a"),
        (ValueError(), "ValueError"),
        (Wordless(), "Wordless"),
        (Leaving(), "Leaving"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyError("[bold]\x1b[31m\u202e"), r"KeyError: '[bold]\x1b[31m\u202e'"),
        (OSError(2, "No such file", "/home/somebody/secret project/x.zip"), "[Errno 2] No such file: '…/x.zip'"),
    ],
)
def test_a_reason_is_one_line_of_visible_text(error: BaseException, reason: str) -> None:
    found = reason_of(error, CPU)
    assert found.endswith(reason)
    assert found.isprintable()
    assert len(reason_of(ValueError("x" * 9999))) == 500


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(CUDA_TEXT),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_a_shortage_of_memory_is_told_in_its_own_words(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "peak_bytes", lambda device: 70.25 * 2**30)
    monkeypatch.setattr(memory, "capacity_bytes", lambda device: 79.1 * 2**30)
    here, there = reason_of(error, CPU), reason_of(error, torch.device("cuda"))
    assert here.startswith("out of memory: ")
    assert here.endswith("peak 70.2 GiB of the process")
    assert there.startswith("out of GPU memory: 79.1 GiB device, ")
    assert there.endswith(", peak 70.2 GiB")
    assert ("tried to allocate 2.50 GiB" in there) == (str(error) == CUDA_TEXT)


def test_a_reason_names_no_user_machine_folder_key_or_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "node17.cluster")
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    monkeypatch.setenv("HOME", "/mnt/people/some body")
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    text = (
        "cannot open /mnt/people/some body/deep/x.pt, '/data/somebody/a b/y.pt' or ~/deep/z.pt on node17 "
        f"(node17.cluster) as somebody, {Path.cwd()}/w.pt; key 0123456789abcdef, tcp://10.0.0.7:8786, "
        "postgresql://me:hunter2@host/db?password=hunter2&x=1; see https://host.org/a/b, and/or 3 / 4"
    )
    found = reason_of(ValueError(text))
    for private in (
        "node17",
        "somebody",
        "some body",
        "/data",
        "mnt",
        "deep",
        str(Path.cwd()),
        "0123",
        "10.0",
        "hunter",
    ):
        assert private not in found, private
    for public in ("x.pt", "y.pt", "z.pt", "w.pt", "https://host.org/a/b", "and/or 3 / 4", "postgresql://host"):
        assert public in found, public


def test_the_place_of_an_error_is_the_last_file_that_is_no_librarys(tmp_path: Path) -> None:
    def reason(code: str, file: Path | str) -> str:
        try:
            exec(compile(code, str(file), "exec"), {})
        except Exception as error:
            return reason_of(error)
        raise AssertionError

    own, library = tmp_path / "own.py", tmp_path / "site-packages" / "theirs.py"
    library.parent.mkdir()
    for file in (own, library):
        file.write_text("")
    here = f"(test_reasons.py:{reason.__code__.co_firstlineno + 2})"
    assert reason("\n\n1 / 0", own) == "ZeroDivisionError: division by zero (own.py:3)"
    assert reason("import torch\ntorch.zeros(2).view(3)", own).endswith(" (own.py:2)")
    assert reason("import json\njson.loads('x')", own).endswith(" (own.py:2)")
    for other in (library, "mtrand.pyx", tmp_path / "not there.py", "<string>"):
        assert reason("1 / 0", other) == f"ZeroDivisionError: division by zero {here}"
    long = tmp_path / ("\x01" * 120 + ".py")
    long.write_text("")
    assert len(reason("raise ValueError('y' * 2000)", long)) <= LONGEST
