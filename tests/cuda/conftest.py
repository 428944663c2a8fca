"""What only a CUDA device can show; without one these tests are left out."""

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
    """Begin with a context for cuBLAS, or else the first product of a backward pass warns that it makes one."""
    if torch.cuda.is_available():
        torch.mm(*(torch.ones(2, 2, device="cuda") for _ in range(2)))
