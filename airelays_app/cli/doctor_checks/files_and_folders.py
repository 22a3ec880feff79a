"""The configuration file, the data folder and the database in it."""

import errno
import os
import shutil
import stat
import tempfile
from contextlib import closing
from pathlib import Path

from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import SET_UP, Verdict, failed, passed, skipped, warned
from airelays_app.errors import Unavailable
from airelays_app.store.database import Database

LOW_SPACE_BYTES = 100 * 1024 * 1024

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def configuration_file(situation: Situation) -> Verdict:
    """There is one, and nobody else can read it, for it may hold keys."""
    path = situation.settings.config_path
    if path is None:
        return warned("HOME is not set, so no configuration file is looked for.")
    if not situation.settings.config_exists:
        return warned(
            f"There is no configuration file at {path}; the defaults hold.",
            SET_UP,
        )
    if path.stat().st_mode & _OTHERS:
        return warned(f"Others can read {path}.", f"Keep it to yourself: chmod 600 {path}")
    return passed(f"{path} is right.")


def data_folder(situation: Situation) -> Verdict:
    """State can be written, there is space for it, and nobody else can read it."""
    folder = situation.settings.paths.data_dir
    try:
        exists = _is_writable(folder)
        free = shutil.disk_usage(folder if exists else _nearest_existing(folder)).free
    except OSError as error:
        return _not_writable(folder, error)
    if free < LOW_SPACE_BYTES:
        return warned(f"Only {free // 1024**2} MiB are free for {folder}.", "Free some space.")
    if not exists:
        return passed(f"{folder} will be made when it is needed.")
    if folder.stat().st_mode & _OTHERS:
        return warned(f"Others can look into {folder}.", f"Keep it to yourself: chmod 700 {folder}")
    return passed(f"{folder} is writable and private.")


def database(situation: Situation) -> Verdict:
    """The database opens and answers."""
    path = situation.settings.paths.data_dir / "state.sqlite3"
    if not path.exists():
        return skipped("There is none yet; the relay makes it.")
    try:
        with closing(Database(path, busy_seconds=2.0)) as opened, opened.reading() as connection:
            connection.execute("SELECT COUNT(*) FROM files").fetchone()
    except Unavailable as error:
        return failed(
            f"{path}: {error.message}",
            "Make sure that the disk is not full and the file is writable. If it is damaged: "
            f"stop the relay, move {path.name}* aside and start it again; uploads and "
            "conversations are lost then.",
        )
    return passed("It opens and answers.")


def _is_writable(folder: Path) -> bool:
    """Write to the folder, or to where it would be made; tell whether it exists."""
    exists = folder.is_dir()
    if not exists and folder.exists():
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(folder))
    place = folder if exists else _nearest_existing(folder)
    with tempfile.TemporaryFile(dir=place) as scratch:
        scratch.write(b"0" * 4096)
        scratch.flush()
    return exists


def _nearest_existing(path: Path) -> Path:
    return next(parent for parent in path.parents if os.path.lexists(parent))


def _not_writable(folder: Path, error: OSError) -> Verdict:
    reason = error.strerror or type(error).__name__
    message = f"{folder} is not writable: {reason}."
    if error.errno == errno.ENOSPC:
        return failed(message, "Free some space on that disk.")
    return failed(
        message,
        f"Give it to the account that runs the relay: sudo chown -R $USER {folder}",
        "Or keep state elsewhere: airelays serve --data-dir PATH, or paths.data_dir",
    )
