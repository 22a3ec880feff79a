"""Rules of the log: an entry is one line; exceptions are named and placed, never quoted."""

import json
import logging

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
