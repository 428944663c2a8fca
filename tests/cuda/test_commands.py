"""The command line on a GPU: runs in the driver, in the worker of the GPU, and in two that share it."""

import json
import subprocess
from pathlib import Path

import pytest
import torch

from tests.benchmark.helpers import RUN

PLACES = {"driver": ("--workers", "0"), "two": ("--workers-per-gpu", "2"), "default": ()}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_table_from_cuda(place: tuple[str, ...], tmp_path: Path) -> None:
    options = ("--suite", "digits", "--settings", "5-shot", "--methods", "stl,auxilearn-linear", "--grid", "lr=0.01")
    more = ("--grid", "weight_decay=0.0005", "--epochs", "2", "--seeds", "2", "--wandb", "disabled")
    command = (*RUN, *options, *more, "--device", "cuda", *place, "--results-dir", str(tmp_path))
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (tmp_path / "digits" / "records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {record["status"] for record in records} == {"ok"}
    assert {record["environment"]["device"] for record in records} == {torch.cuda.get_device_name()}
    assert (tmp_path / "digits" / "table.md").read_text()
