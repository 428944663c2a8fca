"""The driver: hands missing runs to the engine, puts each record on disk, then tells everyone else."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from benchmark import engine
from benchmark.attempts import RETRIES, Attempts
from benchmark.campaign import Campaign, outcomes, own_records, study_name
from benchmark.display import Display
from benchmark.engine import Engine, Resources
from benchmark.errors import UserError
from benchmark.interrupts import raise_if_asked, uninterrupted
from benchmark.plan import Arm
from benchmark.record import Record, Store
from benchmark.sampling import SampledStudy
from benchmark.search import Archive, AtUrl, GridStudy, Study, UnarchivedGrid
from benchmark.spec import Spec
from benchmark.storage import open_storage
from benchmark.tracking import Mirror, Mode


@dataclass(frozen=True)
class Outlets:
    """Where results go.

    Attributes:
        storage: Optuna storage URL instead of the journal file of the suite's folder.
        wandb: Mode of the W&B mirror: `disabled`, `offline` or `online`.
        retries: Further attempts at a run that failed.
    """

    storage: str | None
    wandb: Mode
    retries: int = RETRIES


def execute(
    arms: Sequence[Arm],
    store: Store,
    resources: Resources,
    outlets: Outlets,
    start: Callable[..., AbstractContextManager[Engine]] = engine.start,
    *,
    begun: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Run what `arms` asks for and `store` does not hold, on what `start` starts; return the records that were made.

    `begun` is called once nothing is left that could be refused, before the first run.

    Raises:
        UserError: Trials are to be proposed by Optuna, which is not installed, or its storage failed.
    """
    storage = open_storage(outlets.storage, store.folder)
    if storage is None and any(arm.search is not None and arm.search.sampler == "tpe" for arm in arms):
        raise UserError("the sampler tpe needs optuna, which is not installed; use --sampler random")

    def open_study(arm: Arm) -> Study:
        return _study(arm, store, storage) if outlets.storage is None else AtUrl(lambda: _study(arm, store, storage))

    with uninterrupted():
        campaign = Campaign(arms, store.records, open_study)
        spec = campaign.next_spec()
    with Mirror(store.folder, outlets.wandb) as mirror, ExitStack() as stack:
        mirror.catch_up(record for arm in arms for record in own_records(arm, store.records))
        if spec is None:
            begun()
            return []
        display = stack.enter_context(Display(campaign.arms, store.records))
        running = stack.enter_context(start(resources, display.say))
        display.slots = running.slots
        begun()

        def keep(records: Sequence[Record]) -> None:
            store.append(*records)
            for record in records:
                campaign.done(record)
                display.done(record)
                mirror.add(record)
            display.slots = running.slots

        try:
            made = _drive(spec, campaign, running, Attempts(outlets.retries, display.again), keep)
            return [store.records[digest] for digest in made]
        except KeyboardInterrupt:
            display.say("stopping the workers ... (once more ends them at once)")
            running.stop()
            raise


def _drive(
    first: Spec, campaign: Campaign, running: Engine, attempts: Attempts, keep: Callable[[Sequence[Record]], None]
) -> list[str]:
    """Hand out runs as the engine has room, from the first one on, until none is left; return their digests."""
    specs = [first]
    made: list[str] = []
    while True:
        raise_if_asked()
        while specs:
            spec = specs.pop()
            running.submit(spec, campaign.bars(spec))
            campaign.workers = running.slots
            with uninterrupted():
                specs = specs or _next_specs(campaign, running)
        if not campaign.under_way:
            return made
        ended = [running.next()]
        with uninterrupted():
            try:
                while running.ready():  # a disk takes as long for one record as for many
                    ended.append(running.next())
            finally:
                ended = [record for record in ended if record is not None]
                counted = [attempts.counted(record) for record in ended]
                again = {record.spec.digest: record.spec for record in counted if attempts.again(record)}
                kept = [record for record in counted if record.spec.digest not in again]
                keep(kept)
                made += [record.spec.digest for record in kept]
            specs = list(again.values()) or _next_specs(campaign, running)


def _next_specs(campaign: Campaign, running: Engine) -> list[Spec]:
    """Return the next run, where the engine has room and there is one at present."""
    spec = campaign.next_spec() if running.room() > 0 else None
    return [] if spec is None else [spec]


def _study(arm: Arm, store: Store, storage: Any) -> Study:
    """Return the search of an arm; without Optuna's storage it is not archived."""
    maximize = arm.suite.selection.higher_is_better
    if arm.search is not None:
        archive = None if storage is None else Archive(storage, study_name(arm), arm.space, maximize=maximize)
        return SampledStudy(arm, outcomes(arm, store.records), archive)
    if storage is None:
        return UnarchivedGrid(arm.points())
    return GridStudy(storage, study_name(arm), arm.space, maximize=maximize)
