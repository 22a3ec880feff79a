"""A worker searches for garbage among what requests have made, not in the program."""

import subprocess
import sys

SEARCHED = """
import gc
import airelays_app.server.worker
from airelays_app.server.garbage import spare_program

before = len(gc.get_objects())
spare_program()
print(before, len(gc.get_objects()))

class Knot: pass
for _ in range(30_000):
    knot = Knot()
    knot.itself = knot
print(sum(isinstance(each, Knot) for each in gc.get_objects()))
"""


def test_the_program_is_left_out_and_what_requests_make_is_still_found():
    done = subprocess.run(
        [sys.executable, "-c", SEARCHED], capture_output=True, text=True, check=True
    )
    before, after, left = map(int, done.stdout.split())
    assert before > 10_000
    assert after < before / 100
    assert left < 1_000
