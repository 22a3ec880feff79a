"""Rules of the server's log: gunicorn's own reports quote no exception either."""

from airelays_app.server.logs import GunicornLog


def test_gunicorns_own_report_of_an_exception_does_not_quote_it(caplog):
    try:
        raise ValueError("planted-secret")
    except ValueError:
        GunicornLog(None).exception("Exception in %s hook", "post_request")
    (record,) = caplog.records
    assert record.getMessage() == "Exception in post_request hook"
    assert "ValueError" in record.fields["exception"]
    assert "planted-secret" not in record.fields["exception"]
