"""Lines of Mistral's failed requests, whose form is not documented: each has its result.

What has no status of its own is told as a fault of the upstream, which the relay may try again.
"""

import pytest

from airelays_app.providers.mistral_batches import MistralBatches

OBJECT = {"message": "no", "code": "3000"}


class Caller:
    """Answers with a job that has one file with these lines."""

    def __init__(self, *lines):
        self._lines = lines

    def ask(self, _):
        return {"output_file": None, "error_file": "f-1"}

    def lines(self, call):
        assert call.target == "/files/f-1/content"
        yield from self._lines


@pytest.mark.parametrize(
    ("line", "status", "body"),
    [
        ({"response": {"status_code": 422, "body": {"detail": "no"}}}, 422, {"detail": "no"}),
        ({"response": {"status_code": 429, "body": None}, "error": "no"}, 429, {"message": "no"}),
        ({"response": {"status_code": 400}, "error": OBJECT}, 400, OBJECT),
        ({"response": None, "error": OBJECT}, 502, OBJECT),
        ({"response": {"status_code": 200, "body": None}, "error": "no"}, 502, {"message": "no"}),
        ({"error": "no"}, 502, {"message": "no"}),
    ],
)
def test_a_failed_request_has_its_status_and_what_was_said(line, status, body):
    (reply,) = MistralBatches().replies("j-1", Caller({"custom_id": "a", **line}))
    assert (reply.custom_id, reply.status) == ("a", status)
    assert body in (reply.body, reply.body.get("error"))


@pytest.mark.parametrize("line", [{}, {"error": "no"}, {"custom_id": "a", "response": None}])
def test_a_line_that_tells_nothing_is_no_result(line):
    assert not list(MistralBatches().replies("j-1", Caller(line)))
