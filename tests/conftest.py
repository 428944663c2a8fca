"""Settings every test shares: one thread, a fixed seed, no verdict on time."""

from collections.abc import Iterator

import hypothesis
import pytest
import torch

from benchmark.places import CACHE_VARIABLE
from benchmark.seeds import seed_torch

torch.set_num_threads(1)
hypothesis.settings.register_profile("patient", deadline=None)  # a slow moment of the machine is no failure
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _seed() -> None:
    seed_torch(0)


@pytest.fixture(autouse=True, scope="session")
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decode data into a folder of this session's, not into the user's cache; let commands have one thread, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield
