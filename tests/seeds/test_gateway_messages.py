"""The gateway's Anthropic-compatible table: Messages on every provider, and counts of tokens.

* ``POST /v1/messages`` is translated to whatever the model's provider speaks, whole and streamed.
* ``POST /v1/messages/count_tokens`` answers with a number that grows with what is said; who cannot
  count upstream is estimated for.
* Errors have the vendor's form.
"""

import pytest

from tests.dialects.readers import read_messages
from tests.seeds.gateway import PREFIXED, messages, said

PATH = "/v1/messages"
COUNT = f"{PATH}/count_tokens"
WORDS = {"messages": "Hi"}
every_model = pytest.mark.parametrize("model", PREFIXED)


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


@every_model
def test_a_message_is_created(relay, model):
    message = relay.ok(PATH, messages(model, "[[say Größe 🙂]]"))

    assert (message["type"], message["role"]) == ("message", "assistant")
    assert message["id"].startswith("msg_")
    assert (said(message), message["stop_reason"]) == ("Größe 🙂", "end_turn")
    assert message["usage"]["input_tokens"] > 0


@every_model
def test_a_message_is_streamed_by_the_rules_of_its_dialect(relay, model):
    answer = relay.post(PATH, messages(model, "[[say One two]]", stream=True))

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert said(read_messages(answer.content)) == "One two"


@every_model
def test_its_calls_are_the_reason_why_it_stops(relay, model):
    tool = {"name": "add", "input_schema": {"type": "object", "properties": {}}}
    body = messages(model, "[[call add {}]]", tools=[tool])

    message = relay.ok(PATH, body)

    (call,) = [block for block in message["content"] if block["type"] == "tool_use"]
    assert (call["name"], call["input"], message["stop_reason"]) == ("add", {}, "tool_use")


@every_model
def test_tokens_are_counted(relay, model):
    few = relay.ok(COUNT, messages(model, "One"))
    many = relay.ok(COUNT, messages(model, "One and two and three and four and five"))

    assert few.keys() == many.keys() == {"input_tokens"}
    assert 0 < few["input_tokens"] < many["input_tokens"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        (PATH, {}, 400, "invalid_request_error"),
        (COUNT, {}, 400, "invalid_request_error"),
        (PATH, messages("box/sandbox-small") | WORDS, 400, "invalid_request_error"),
        (COUNT, messages("box/sandbox-small") | WORDS, 400, "invalid_request_error"),
        (PATH, messages("box/no-such-model"), 404, "not_found_error"),
    ],
)
def test_errors_have_the_vendors_form(relay, path, body, status, kind):
    answer = relay.post(path, body)

    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind
    assert answer.json()["request_id"] == answer.headers["request-id"]


def test_the_token_may_be_in_the_vendors_header(relay):
    headers = {"x-api-key": relay.token, "anthropic-version": "2099-01-01"}

    answer = relay.post(PATH, messages("box/sandbox-small"), token=None, headers=headers)

    assert answer.status_code == 200
    refused = relay.post(PATH, messages("box/sandbox-small"), token=None)
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"
