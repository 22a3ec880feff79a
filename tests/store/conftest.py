"""A disk that is really full, or really read-only, where the tests may mount one."""

import subprocess

import pytest

TINY_DISK_BYTES = 512 * 1024


@pytest.fixture
def tiny_disk(tmp_path):
    directory = tmp_path / "tiny"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={TINY_DISK_BYTES}", "none", str(directory)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root may mount a small disk here")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture
def remount(tiny_disk):
    def as_mode(mode):
        command = ["mount", "-o", f"remount,{mode}", str(tiny_disk)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("only root may remount a disk here")

    return as_mode
