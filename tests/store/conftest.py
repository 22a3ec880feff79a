"""Faults from outside: processes that work at once, a disk that is full or read-only."""

import subprocess
import sys
import textwrap

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


@pytest.fixture
def at_once():
    """Run the code in several processes that all wait at their ``start()``; return the outputs."""

    def run(code, *argument_lists):
        begin = "import sys\n\ndef start():\n    print('ready', flush=True); sys.stdin.readline()\n"
        command = [sys.executable, "-c", begin + textwrap.dedent(code)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [
            subprocess.Popen([*command, *map(str, arguments)], **pipes)
            for arguments in argument_lists
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(processes)
        return outputs

    return run
