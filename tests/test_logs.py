"""Rules of the log: an entry is one line; exceptions are named and placed, never quoted."""

import json
import logging
import re
import subprocess
import sys

import pytest

from airelays_app.logs import LineFormatter, describe


def raised(outer=None):
    try:
        try:
            raise ValueError("planted-secret")
        except ValueError as error:
            raise (outer or KeyError("planted-secret")) from error
    except Exception as error:
        return error


def test_an_exception_is_described_by_type_place_and_cause_only():
    found = describe(raised())
    assert "test_logs.py" in found
    assert found.index("KeyError") < found.index(" from ") < found.index("ValueError")
    assert "planted-secret" not in found


@pytest.mark.parametrize("style", ["logfmt", "json"])
def test_an_entry_is_one_line_and_quotes_no_exception(style):
    error = raised()
    record = logging.makeLogRecord(
        {
            "name": "airelays.web",
            "msg": "two\nlines",
            "fields": {"reason": 'a\r\n"b" = c'},
            "exc_info": (type(error), error, error.__traceback__),
        }
    )
    line = LineFormatter(style).format(record)
    assert "\n" not in line
    assert "\r" not in line
    assert "planted-secret" not in line
    assert "KeyError" in line


def test_a_json_entry_keeps_the_fields_as_they_are():
    record = logging.makeLogRecord({"name": "airelays.requests", "msg": "m", "fields": {"ms": 1.5}})
    assert json.loads(LineFormatter("json").format(record))["ms"] == 1.5


COMPLAINTS = """
import logging, sys, threading
from airelays_app.logs import configure, speak_for_process

configure(level="info", style="logfmt")
speak_for_process()


class Stubborn:
    def __del__(self):
        raise ValueError("planted-secret")


def fail():
    raise ValueError("planted-secret")


logging.getLogger("airelays.web").info("one")
logging.getLogger("airelays_app.store.tokens").warning("two")
try:
    fail()
except ValueError:
    logging.getLogger("some.dependency").exception("three")
logging.getLogger("some.dependency").info("not heard")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Stubborn()
"""


def test_whoever_complains_in_a_process_does_so_in_lines_that_quote_nothing():
    done = subprocess.run([sys.executable, "-c", COMPLAINTS], capture_output=True, check=True)
    lines = done.stderr.decode().splitlines()
    assert [re.findall(r'message=("[^"]*"|\S+)', line) for line in lines] == [
        ["one"],
        ["two"],
        ["three"],
        ['"a thread failed"'],
        ['"a clean-up failed"'],
    ]
    assert all(line.startswith("at=20") for line in lines)
    assert "planted-secret" not in done.stderr.decode()
