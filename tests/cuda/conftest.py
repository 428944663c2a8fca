"""What only a CUDA device can show; without one these tests are left out."""

import warnings
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of this folder out where there is no CUDA device."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason="there is no CUDA device"))


@pytest.fixture(autouse=True, scope="session")
def _context() -> None:
    """Take the warning that a backward pass gives once whose first kernel, in a thread of its own, is a product."""
    if torch.cuda.is_available():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ones = torch.ones(2, 2, device="cuda", requires_grad=True)
            (ones @ ones).sum().backward()
