"""Random streams named by what they are for, never by the method: comparisons are paired."""

import hashlib

import torch


def derive(suite: str, setting: str, seed: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose (`labels`, `init`, `batches`, ...) of one run."""
    text = "\0".join((suite, setting, str(seed), purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(suite: str, setting: str, seed: int, purpose: str) -> torch.Generator:
    """Return a CPU generator seeded for that purpose."""
    return torch.Generator().manual_seed(derive(suite, setting, seed, purpose))
