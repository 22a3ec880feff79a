"""Threads share few heaps, so that the memory of large requests is not kept once for each."""

import os
import re
import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, sys, threading
from airelays_app.server.arenas import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
together = threading.Barrier(6)

def allocate():
    together.wait()
    libc.malloc(1000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""

pytestmark = pytest.mark.skipif(
    not os.confstr_names.get("CS_GNU_LIBC_VERSION"), reason="only glibc has arenas"
)


def heaps(how: str, **environ: str) -> int:
    """Return how many heaps six threads have used."""
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how],
        env={"PATH": "/usr/bin", "PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return len(re.findall("<heap nr=", told.stdout))


def test_six_threads_share_two_heaps() -> None:
    assert heaps("shared") <= 2 < heaps("as usual")


def test_the_owners_own_number_counts() -> None:
    assert heaps("shared", MALLOC_ARENA_MAX="4") > 2
