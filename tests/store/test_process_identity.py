"""A process is gone only when that is certain: same boot, same namespace, no such start time."""

import pytest

from airelays_app.store import process_identity
from airelays_app.store.process_identity import boot_id, is_gone, own_identity


def identity_with(**changes):
    boot, namespace, process, started = own_identity().split(" ")
    parts = {"boot": boot, "namespace": namespace, "process": process, "started": started}
    return " ".join((parts | changes).values())


def test_this_process_is_here():
    assert not is_gone(own_identity())


@pytest.mark.parametrize(
    "changes",
    [
        {"process": "4194999"},
        {"started": "1"},
        {"boot": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_another_start_another_boot_or_no_process_is_gone(changes):
    assert is_gone(identity_with(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"namespace": "pid:[1]", "process": "4194999"},
        {"boot": "?"},
        {"started": "?"},
        {"namespace": "?"},
    ],
)
def test_what_cannot_be_known_is_not_called_gone(changes):
    assert not is_gone(identity_with(**changes))


def test_a_kernel_that_hides_the_boot_is_survived(monkeypatch, tmp_path):
    assert boot_id() not in ("", "?")
    monkeypatch.setattr(process_identity, "_PROC", tmp_path)
    assert boot_id() == "?"
    assert not is_gone(own_identity())
