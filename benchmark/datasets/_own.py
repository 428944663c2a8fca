"""What data sets of the user's own share."""

from collections.abc import Iterator
from pathlib import Path

from benchmark.dataset import Dataset


class OwnData(Dataset):
    """Base of data that are not published, and so have no files to download."""

    licence = "yours"
    homepage = "https://arxiv.org/abs/2007.02693"
    citation = "your own data; the benchmark follows Navon et al., ICLR 2021"
    sources = ()

    def candidates(self, data_dir: Path) -> Iterator[Path]:
        """Yield the folder of its name first: in the data folder itself, that of another data set may look alike."""
        yield from (data_dir / self.name, data_dir)
