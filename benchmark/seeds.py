"""Random streams named by what they are for, never by the method: comparisons are paired."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def derive(suite: str, setting: str, seed: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose (`labels`, `init`, `batches`, ...) of one run."""
    text = "\0".join((suite, setting, str(seed), purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(suite: str, setting: str, seed: int, purpose: str) -> torch.Generator:
    """Return a CPU generator seeded for that purpose."""
    return torch.Generator().manual_seed(derive(suite, setting, seed, purpose))


def seed_torch(seed: int) -> None:
    """Seed torch's own streams, of the CPU and of CUDA devices, to where `torch.manual_seed` would.

    That one also keeps a call, with the text of its whole stack, for each kind of device that is not there: time and
    memory of thousands of runs in one process.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)


class Streams:
    """What a run draws from beside the order of its batches: torch's own streams, the device's too, and a reader's."""

    def __init__(self, reader: torch.Generator | None, device: torch.device) -> None:
        self._reader, self._device = reader, device

    def state_dict(self) -> dict[str, Tensor]:
        """Return the present state of each stream."""
        states = {"torch": torch.get_rng_state()}
        if self._device.type == "cuda":
            states["device"] = torch.cuda.get_rng_state(self._device)
        return states if self._reader is None else {**states, "reader": self._reader.get_state()}

    def load_state_dict(self, states: Mapping[str, Tensor]) -> None:
        """Put each stream to where it was."""
        torch.set_rng_state(states["torch"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(states["device"], self._device)
        if self._reader is not None:
            self._reader.set_state(states["reader"])
