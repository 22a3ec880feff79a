"""Rules of the server's log: an entry is one line; exceptions are named and placed, not quoted."""

import logging

from airelays_app.server.logs import GunicornLog, PlainFormatter, describe


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


def test_gunicorns_own_report_of_an_exception_does_not_quote_it(caplog):
    try:
        raise ValueError("planted-secret")
    except ValueError:
        GunicornLog(None).exception("Exception in %s hook", "post_request")
    (record,) = caplog.records
    assert record.getMessage() == "Exception in post_request hook"
    assert "ValueError" in record.fields["exception"]
    assert "planted-secret" not in PlainFormatter().format(record)


def test_an_entry_is_one_line():
    record = logging.makeLogRecord(
        {"name": "airelays.server", "msg": "two\nlines", "fields": {"reason": "a\r\nb"}}
    )
    assert "\n" not in PlainFormatter().format(record)
