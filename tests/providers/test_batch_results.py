"""Failed requests of batches whose results have many forms: each has its result.

What has no status of its own is told as a fault of the upstream, which the relay may try again.
"""

import pytest

from airelays_app.providers.mistral_batches import MistralBatches
from airelays_app.providers.xai_batches import XAIBatches
from tests.providers.scripted_caller import Caller

OBJECT = {"message": "no", "code": "3000"}
COUNTS = {"num_requests": 2, "num_pending": 0}


class MistralCaller:
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
def test_of_mistral_a_failed_request_has_its_status_and_what_was_said(line, status, body):
    (reply,) = MistralBatches().replies("j-1", MistralCaller({"custom_id": "a", **line}))
    assert (reply.custom_id, reply.status) == ("a", status)
    assert body in (reply.body, reply.body.get("error"))


@pytest.mark.parametrize("line", [{}, {"error": "no"}, {"custom_id": "a", "response": None}])
def test_of_mistral_a_line_that_tells_nothing_is_no_result(line):
    assert not list(MistralBatches().replies("j-1", MistralCaller(line)))


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({"batch_result": {"error": {"code": 3, "message": "no"}}}, 400),
        ({"batch_result": {"error": {"code": "8", "message": "no"}}}, 429),
        ({"batch_result": {"error": {"code": "bad", "message": "no"}}}, 502),
        ({"batch_result": {"error": "no"}}, 502),
        ({"batch_result": None, "error_message": "no"}, 502),
    ],
)
def test_of_xai_a_failed_request_has_a_status_and_what_was_said(entry, status):
    page = {"results": [{"batch_request_id": "a", **entry}]}
    (reply,) = XAIBatches().replies("b-1", Caller(page))
    assert (reply.custom_id, reply.status) == ("a", status)
    assert reply.body == {"error": {"message": "no"}}


def test_of_xai_a_cancelled_request_has_no_result():
    entry = {"batch_request_id": "a", "batch_result": {"error": {"code": 1, "message": "no"}}}
    assert not list(XAIBatches().replies("b-1", Caller({"results": [entry, {}]})))


def test_of_xai_every_page_of_results_is_read():
    result = {"response": {"chat_get_completion": {"id": "c"}}, "error": {"code": 0}}
    results = [{"batch_request_id": name, "batch_result": result} for name in "ab"]
    pages = [{"results": [each], "pagination_token": "next/page"} for each in results]
    caller = Caller(*pages, {"results": [], "pagination_token": "next/page"})
    replies = list(XAIBatches().replies("b-1", caller))
    assert [(reply.custom_id, reply.status, reply.body) for reply in replies] == [
        (name, 200, {"id": "c"}) for name in "ab"
    ]
    assert caller.targets[1] == "/batches/b-1/results?limit=100&pagination_token=next%2Fpage"


@pytest.mark.parametrize(
    ("batch", "end"),
    [
        ({}, None),
        ({"state": {"num_requests": 0, "num_pending": 0}}, None),
        ({"state": {"num_requests": 2, "num_pending": 1}}, None),
        ({"state": COUNTS}, "completed"),
        ({"state": COUNTS, "cancel_time": "2026-11-26"}, "cancelled"),
        ({"cancel_time": "2026-11-26", "cancel_by_xai_message": "broken file"}, "failed"),
    ],
)
def test_how_far_a_batch_of_xai_is_follows_from_its_counts(batch, end):
    assert XAIBatches().progress("b-1", Caller(batch)).end == end
