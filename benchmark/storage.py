"""Where Optuna keeps studies: a journal file beside the results, or a URL whose password nobody sees."""

from pathlib import Path
from typing import Any

from benchmark.errors import UserError
from benchmark.record import cut_torn_line

JOURNAL = "studies.journal"


def open_storage(url: str | None, folder: Path) -> Any:
    """Return Optuna's storage at `url`, or the journal file of the results folder; None without Optuna.

    The caller must hold the folder for writing: a lock on the journal that a killed driver left is removed.

    Raises:
        UserError: The URL is not one Optuna can open, or Optuna is asked for and not installed.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ModuleNotFoundError:
        if url:
            raise UserError("--storage needs optuna, which is not installed") from None
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url:
        return _storage_at(url)
    path = folder / JOURNAL
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    cut_torn_line(path)
    try:
        return JournalStorage(JournalFileBackend(str(path)))
    except ValueError:
        raise UserError(f"{path} is damaged; remove it and it will be written anew from the records") from None


def _storage_at(url: str) -> Any:
    import optuna

    try:
        return optuna.storages.get_storage(url)
    except Exception as error:
        reason = type(error).__name__
        raise UserError(
            f"--storage cannot be opened ({reason}); give a URL such as sqlite:///studies.db or "
            "postgresql://user@host/name"
        ) from None
