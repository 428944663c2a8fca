"""--weights: the suite's own choice, checks before any work, one reading a process, and a place in a run's identity."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models import ResNet18_Weights

from benchmark import datasets, suites
from benchmark.acquire import write_sample
from benchmark.cache import Prepared
from benchmark.models import resnet
from benchmark.models.resnet import IMAGENET, identity, resnet18
from benchmark.places import Places
from benchmark.plan import Options, make_plan
from benchmark.suite import Suite
from benchmark.tables.table import make_table
from tests.benchmark.conftest import Cli
from tests.benchmark.helpers import lines

SAMPLE = ("--suite", "cub", "--sample", "--settings", "5-shot", "--methods", "stl", "--workers", "0")


@pytest.fixture
def file(tmp_path: Path, state: dict[str, Tensor]) -> Path:
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    return path


def cub(weights: str | Path | None = None, *, sample: bool = False, name: str = "cub") -> Suite:
    """Return a suite that has prepared data of a known content."""
    given = None if weights is None else str(weights)
    suite = suites.load(name, Places(Path("nowhere"), sample=sample, weights=given))
    suite._prepared["cub"] = Prepared(
        "cub", Path(), {}, {"label": ("one", "two"), "attribute": ("has::one",)}, "content", sample
    )
    return suite


def test_cub_starts_from_imagenet_and_its_sample_at_random() -> None:
    assert cub().weights == "imagenet"
    assert cub(sample=True).weights == "none"
    assert cub(name="cub-30shot").weights == "none"
    assert cub("imagenet", sample=True).weights == "imagenet"


def test_a_sample_among_the_users_files_starts_at_random_too(tmp_path: Path) -> None:
    folder = tmp_path / "CUB_200_2011"
    (folder / "images").mkdir(parents=True)
    (folder / "image_class_labels.txt").touch()
    assert suites.load("cub", Places(tmp_path)).weights == "imagenet"
    (tmp_path / "SAMPLE").touch()
    assert suites.load("cub", Places(tmp_path)).weights == "none"


def test_other_weights_than_the_suites_own_are_another_identity(file: Path) -> None:
    own, drawn = cub(), cub(sample=True)
    assert own.fingerprint() == cub("imagenet").fingerprint() == "content"
    assert drawn.fingerprint() == cub("none", sample=True).fingerprint()
    found = [own, cub("none"), cub(file), drawn, cub("imagenet", sample=True), cub(file, sample=True)]
    assert len({suite.fingerprint() for suite in found}) == len(found)
    before = cub(file).fingerprint()
    torch.save({**torch.load(file), "fc.bias": torch.ones(1000)}, file)
    assert cub(file).fingerprint() != before, "the content counts, not the name"


def test_torchvisions_own_file_is_imagenet(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"-{IMAGENET}." in ResNet18_Weights.IMAGENET1K_V1.url
    digest = identity(str(file))
    assert digest != "imagenet"
    monkeypatch.setattr(resnet, "IMAGENET", digest[:8])
    assert identity(str(file)) == "imagenet"
    assert cub(file).other_weights is None


@pytest.mark.parametrize("setting", ["5-shot", "full"])
def test_the_network_starts_from_what_was_asked_for(file: Path, state: dict[str, Tensor], setting: str) -> None:
    suite = suites.load("cub", Places(sample=True, weights=str(file)))
    found = suite.problem(setting, 1).model.state_dict()
    trunk = {name.removeprefix("trunk."): value for name, value in found.items() if name.startswith("trunk.")}
    assert len(trunk) == len(state) - 2, "all but torchvision's last linear map"
    assert all(torch.equal(value, state[name]) for name, value in trunk.items())


def test_a_process_reads_a_file_once_unless_it_changes(
    file: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Any] = []
    load: Callable[..., Any] = torch.load
    monkeypatch.setattr(torch, "load", lambda *given, **named: reads.append(given) or load(*given, **named))
    first, _ = resnet18(weights=file)
    with torch.no_grad():
        next(first.parameters()).zero_()
    again, _ = resnet18(weights=str(file))
    assert len(reads) == 1
    assert torch.equal(next(again.parameters()), state["conv1.weight"]), "training must not reach what was read"
    torch.save({name: 2 * value for name, value in state.items()}, file)
    os.utime(file, (0, 0))
    changed, _ = resnet18(weights=file)
    assert torch.equal(next(changed.parameters()), 2 * state["conv1.weight"])


def refused(cli: Cli, folder: Path, *arguments: str | Path) -> str:
    """Return the one line of a command that must not begin any work."""
    ended = cli(*arguments, "--results-dir", folder / "results", "--cache-dir", folder / "cache")
    assert ended.status == 2
    assert not (folder / "results").exists()
    assert not (folder / "cache").exists()
    (line,) = [line for line in ended.err.splitlines() if not line.startswith("Downloading: ")]
    return line


def test_without_imagenet_weights_nothing_begins(cli: Cli, hub: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_sample(datasets.load("cub"), data)
    (data / "SAMPLE").unlink()  # now it passes for the official data
    line = refused(cli, tmp_path, "--suite", "cub", "--data-dir", data)
    assert line.startswith("error: there are no ImageNet weights: ")
    assert str(hub) in line
    assert "no ImageNet weights" in refused(cli, tmp_path, *SAMPLE, "--weights", "imagenet")


def test_a_plan_downloads_no_weights(cli: Cli, hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", lambda *given, **named: asked.append(given))
    line = refused(cli, tmp_path, *SAMPLE, "--weights", "imagenet", "--dry-run")
    assert line.startswith(f"error: {hub}")
    assert line.endswith("does not hold the ImageNet weights, and --dry-run downloads nothing; a run does")
    assert not asked
    assert not list(hub.rglob("*.pth"))


def test_wrong_files_are_refused_before_anything_begins(cli: Cli, tmp_path: Path, file: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, file)
    assert "are not those of a ResNet-18" in refused(cli, tmp_path, *SAMPLE, "--weights", file)
    assert "cannot read weights from nowhere.pt" in refused(cli, tmp_path, *SAMPLE, "--weights", "nowhere.pt")
    assert "cannot read weights from ." in refused(cli, tmp_path, *SAMPLE, "--weights", "")


@pytest.mark.parametrize("suite", ["digits", "mnist"])
def test_suites_whose_network_takes_no_weights_say_so(cli: Cli, tmp_path: Path, suite: str) -> None:
    line = refused(cli, tmp_path, "--suite", suite, "--weights", "none")
    assert line == f"error: suite '{suite}' takes no --weights: its network starts at random"


def test_records_table_and_commands_tell_other_weights(cli: Cli, tmp_path: Path, file: Path) -> None:
    results = ("--results-dir", tmp_path / "results", "--wandb", "disabled")
    assert cli(*SAMPLE, *results).status == 0
    assert "OTHER WEIGHTS" not in (tmp_path / "results/cub-sample/table.md").read_text()
    ended = cli(*SAMPLE, *results, "--weights", file)
    assert ended.status == 0
    plain, other = lines(tmp_path / "results", "cub-sample")
    assert other["spec"]["data"] == f"{plain['spec']['data']}-weights-{identity(str(file))}"
    assert other["epochs"] != plain["epochs"]
    told = f"OTHER WEIGHTS: trained from the weights {identity(str(file))}, not the suite's own choice."
    assert told in ended.out
    for name in ("table.md", "table.tex"):
        assert told in (tmp_path / "results/cub-sample" / name).read_text()
    missing = cli(*SAMPLE, *results, "--weights", file, "--seeds", "2", "--dry-run")
    assert "1 left" in missing.out


def test_a_random_start_on_real_data_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = cub("none")
    monkeypatch.setattr(suites, "load", lambda name, places=None: suite)
    arms = make_plan(Options("cub", settings=("5-shot",), methods=("stl",)))
    caption = make_table(arms, {}).caption
    assert caption.startswith("OTHER WEIGHTS: trained from a random start, not the suite's own choice. Mean")
    assert arms[0].data == "content-weights-none"
