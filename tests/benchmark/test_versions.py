"""What driver and workers must share, in words."""

import pytest

from benchmark.versions import difference, of_process

DRIVER = {"python": "3.11", "torch": "2.14.1", "numpy": "2.4", "distributed": "2026.8", "benchmark/a.py": "1"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"torch": "2.11.0"}, "torch 2.11.0 (driver: 2.14.1)"),
        ({"torch": "2.11.0", "numpy": "1"}, "torch 2.11.0 (driver: 2.14.1), numpy 1 (driver: 2.4)"),
        ({"torch": "2.11.0", "benchmark/a.py": "2"}, "torch 2.11.0 (driver: 2.14.1)"),
        ({"benchmark/a.py": "2"}, "benchmark/a.py differs"),
        ({"benchmark/a.py": None}, "benchmark/a.py is only on the driver"),
        ({"benchmark/b.py": "2"}, "benchmark/b.py is not on the driver"),
        ({"benchmark/a.py": "2", "benchmark/b.py": "2"}, "benchmark/a.py differs; 1 more files differ"),
    ],
)
def test_a_difference_is_told_by_its_name(changes: dict[str, str | None], told: str) -> None:
    worker = {key: value for key, value in {**DRIVER, **changes}.items() if value is not None}
    assert difference(DRIVER, worker) == told


def test_a_process_knows_every_file_of_its_code() -> None:
    found = of_process()
    assert {"python", "torch", "numpy", "distributed"} <= found.keys()
    assert {"auxilearn/auxilearn.py", "baselines/stl.py", "benchmark/versions.py", "benchmark/suites/digits.py"} <= set(
        found
    )
    assert not [name for name in found if name.startswith("tests")]
    assert difference(found, dict(found)) == ""
