"""Random streams of CUDA devices."""

import torch

from benchmark.seeds import seed_torch


def test_a_devices_stream_starts_where_torch_would_start_it() -> None:
    seed_torch(5)
    drawn = torch.rand(4, device="cuda")
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(4, device="cuda"))
