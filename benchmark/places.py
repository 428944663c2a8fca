"""Where data and first weights come from, and where data are decoded to."""

import os
from dataclasses import dataclass, field
from pathlib import Path

CACHE_VARIABLE = "AUXILEARN_BENCHMARK_CACHE"
DEFAULT_DATA = Path("data")


def default_cache() -> Path:
    """Return the folder of decoded data: `AUXILEARN_BENCHMARK_CACHE`, or the user's folder for caches."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auxilearn-benchmark"


@dataclass(frozen=True)
class Places:
    """Where data and first weights come from, and where data are decoded to.

    Attributes:
        data_dir: The user's folder of official files, to which missing ones are downloaded.
        cache_dir: Folder of decoded data.
        sample: Whether to draw samples and leave `data_dir` alone.
        weights: What networks start from, `none`, `imagenet` or a file; None for the suite's own choice.
        checkpoints: Folder of the checkpoints of runs, which workers may not see; None to write none.
        downloads: Whether missing files are downloaded.
    """

    data_dir: Path = DEFAULT_DATA
    cache_dir: Path = field(default_factory=default_cache)
    sample: bool = False
    weights: str | None = None
    checkpoints: Path | None = None
    downloads: bool = True
