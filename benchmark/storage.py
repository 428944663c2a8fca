"""Where Optuna keeps studies: a journal file beside the results, or a URL whose password nobody sees."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark.errors import UserError
from benchmark.record import cut_torn_line

JOURNAL = "studies.journal"

NEEDS = "--storage needs optuna, which is not installed"

PACKAGES = {"MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary", "psycopg": "'psycopg[binary]'"}
"""Packages of drivers whose module has another name, or that need more than the package of that name."""


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
            raise UserError(NEEDS) from None
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


def forget(storage: Any, names: Collection[str]) -> None:
    """Delete studies where they are; they are written anew from the records."""
    if storage is None or not names:
        return
    import optuna

    for name in {*names}.intersection(optuna.get_all_study_names(storage)):
        optuna.delete_study(study_name=name, storage=storage)


def check_url(url: str) -> None:
    """Refuse a URL that Optuna cannot open whatever it leads to, without opening it.

    Raises:
        UserError: It is none, nothing serves its scheme, or what serves it or the folder of its file is not there.
    """
    if find_spec("optuna") is None:
        raise UserError(NEEDS)
    with _refusing(url):
        import sqlalchemy

        sqlalchemy.make_url(url).get_dialect().import_dbapi()
        if _lacks_folder(url):
            raise FileNotFoundError


def _storage_at(url: str) -> Any:
    with _refusing(url):
        import optuna

        return optuna.storages.get_storage(url)


@contextmanager
def _refusing(url: str) -> Iterator[None]:
    """Tell what is wrong with a URL, in which a password may be, without it."""
    try:
        yield
    except ImportError as error:
        raise UserError(f"--storage cannot be opened: {_missing_driver(error)}") from None
    except Exception as error:
        reason = type(error).__name__
        if _lacks_folder(url):
            raise UserError("--storage cannot be opened: the folder of the SQLite file does not exist") from None
        raise UserError(
            f"--storage cannot be opened ({reason}); give a URL such as sqlite:///studies.db or "
            "postgresql://user@host/name"
        ) from None


def _missing_driver(error: ImportError) -> str:
    """Return which package is missing, by the names of modules alone: a message may have the URL in it."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    if not cause.name:
        return "the driver of its database is not installed"
    package = PACKAGES.get(cause.name, cause.name)
    return f"the driver {cause.name} of its database is not installed; pip install {package}"


def _lacks_folder(url: str) -> bool:
    """Return whether a URL is of an SQLite file in a folder that is not there."""
    scheme, _, place = url.partition(":///")
    path = place.partition("?")[0]
    if scheme.partition("+")[0] != "sqlite" or path.startswith("file:"):  # that is no path
        return False
    return bool(path) and not Path(path).parent.is_dir()
