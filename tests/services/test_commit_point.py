"""When a stream's 200 goes out, and what a failure is before and after it.

It goes out with the first content, or a second after the upstream's own; failures before it are
real statuses, failures after it are in the stream, in the client's own dialect. Meanwhile silence
is filled with comments.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import error_of, parse_sse
from tests.seeds.asking import CHAT, COMPLETIONS, RESPONSES, question, streamed_text

PATHS = [RESPONSES, CHAT, COMPLETIONS]
UPSTREAMS = {"subscription": "gpt-5.5", "chat server": "box/sandbox-small"}
KEEP_ALIVE = ": keep-alive\n\n"


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay that tries nothing again and is quick to send a sign of life."""
    return start_relay(UPSTREAM_RETRY_ATTEMPTS="0", KEEPALIVE_SECONDS="1")


@pytest.fixture(scope="module")
def patient(start_relay, module_relay):
    """Return a relay on the same upstream that tries again, as relays do."""
    return start_relay(sandbox=module_relay.sandbox)


@pytest.fixture(params=UPSTREAMS.values(), ids=UPSTREAMS)
def model(request):
    return request.param


every_path = pytest.mark.parametrize("path", PATHS)
EVERY_PAIR = [(path, model) for path in PATHS for model in UPSTREAMS.values()]


def ask_at_once(relay, steps):
    """Ask for a stream on every path from every upstream, all at once; return path and answer."""

    def ask(pair):
        path, model = pair
        return path, relay.post(path, question(path, steps, model=model, stream=True))

    with ThreadPoolExecutor(len(EVERY_PAIR)) as pool:
        return list(pool.map(ask, EVERY_PAIR))


def failure_in(path, text):
    """Return the error object that a broken stream tells, and check the form that it has."""
    assert "[DONE]" not in text
    events = parse_sse(text)
    if path != RESPONSES:
        assert events[-1].data.keys() == {"error"}
        return events[-1].data["error"]
    assert [event.name for event in events[-2:]] == ["error", "response.failed"]
    response = events[-1].data["response"]
    assert response["status"] == "failed"
    assert response["error"]["message"] == events[-2].data["error"]["message"]
    numbers = [event.data["sequence_number"] for event in events]
    assert numbers == sorted(set(numbers))
    return events[-2].data["error"]


@every_path
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ("failed after=0", 502),
        ("error_event after=0", 502),
        ("failed after=0 code=rate_limit_exceeded", 429),
        ("failed after=0 code=context_length_exceeded", 400),
        ("cut after=0", 502),
        ("no_terminal after=0", 502),
        ("garbage", 502),
        ("garbage after=0", 502),
        ("reset", 502),
        ("html", 502),
        ("html status=403", 502),
        ("buffered", 502),
        ("status status=500", 500),
        ("status status=400 param=messages", 400),
        ("status status=404", 404),
        ("limit", 429),
    ],
)
def test_a_failure_before_any_content_is_a_real_status(relay, model, path, behaviour, status):
    body = question(path, f"[[behave {behaviour}]] [[say Hi]]", model=model, stream=True)

    answer = relay.post(path, body)

    assert answer.status_code == status, answer.text
    assert error_of(answer)["message"]


@every_path
@pytest.mark.parametrize("status", [429, 503])
def test_a_client_that_may_come_back_is_always_told_when(relay, path, model, status):
    """Vendors do not always say it, and Codex CLI gives up at a 429 without Retry-After."""
    relay.sandbox.script("status", status=status)

    answer = relay.post(path, question(path, model=model))

    assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) > 0


def test_a_real_status_may_come_late(relay):
    """The upstream's own answer is waited for, however long it takes."""
    for _, answer in ask_at_once(relay, "[[behave late 1.5]] [[behave html]]"):
        assert answer.status_code == 502


@every_path
def test_the_first_content_opens_the_stream_at_once(relay, model, path):
    body = question(path, "[[behave stalled 1]] [[say One two]]", model=model)

    with relay.streaming(path, body) as answer:
        seen = ""
        for piece in answer.iter_content(None, decode_unicode=True):
            seen += piece
            if "One" in seen:
                break

    assert answer.status_code == 200
    assert "One" in seen


def test_a_silent_upstream_opens_the_stream_after_a_second(relay):
    """What it is silent about then comes in the stream, and so does its failure."""
    for path, answer in ask_at_once(relay, "[[behave silent 3]] [[say Hi]]"):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-cache, no-transform"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.text.startswith(KEEP_ALIVE)
        assert failure_in(path, answer.text)["type"] == "upstream_error"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("failed after=2", "server_error"),
        ("error_event after=2", "server_error"),
        ("failed after=2 code=rate_limit_exceeded", "rate_limit_exceeded"),
        ("cut after=2", None),
        ("reset after=2", None),
        ("no_terminal after=2", "stream_incomplete"),
        ("garbage after=2", None),
    ],
)
def test_a_failure_after_content_is_told_in_the_stream(relay, behaviour, code):
    steps = f"[[behave slow 0.5]] [[behave {behaviour}]] [[say One two]]"

    for path, answer in ask_at_once(relay, steps):
        assert answer.status_code == 200
        error = failure_in(path, answer.text)
        assert streamed_text(path, parse_sse(answer.text)).startswith("One")
        assert error["message"]
        assert {"message", "type", "param", "code"} <= error.keys()
        if code:
            assert error["code"] == code


def test_silence_in_the_middle_is_filled_and_breaks_nothing(relay):
    for path, answer in ask_at_once(relay, "[[behave slow 2.5]] [[say One]]"):
        assert answer.text.count(KEEP_ALIVE) >= 1
        assert streamed_text(path, parse_sse(answer.text)) == "One"


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
def test_only_silence_is_filled(relay, model):
    """An upstream that says what this dialect does not show is not silent."""
    thought = "word " * 3000
    body = question(COMPLETIONS, f"[[reason {thought}]] [[say Hi]]", model=model, stream=True)

    answer = relay.post(COMPLETIONS, {**body, "reasoning_effort": "low"})

    assert answer.text.count(KEEP_ALIVE) < 20
    assert streamed_text(COMPLETIONS, parse_sse(answer.text)) == "Hi"


@every_path
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ("failed", 502),
        ("error_event", 502),
        ("cut", 502),
        ("no_terminal", 502),
        ("reset", 502),
        ("garbage after=2", 502),
        ("failed code=usage_limit_reached", 429),
    ],
)
def test_for_a_whole_answer_any_failure_is_a_real_status(relay, path, behaviour, status):
    answer = relay.post(path, question(path, f"[[behave {behaviour}]] [[say One two three four]]"))

    assert answer.status_code == status, answer.text
    assert error_of(answer)["message"]


@every_path
def test_a_failure_is_retried_only_before_the_commit_point(patient, relay, path):
    relay.sandbox.script("failed", after=0)
    events = patient.events(path, question(path, "[[say One]]"))
    assert streamed_text(path, events) == "One"
    assert len(relay.sandbox.requests) == 2

    relay.sandbox.script("slow+failed", seconds=0.5)
    answer = patient.post(path, question(path, "[[say One two]]", stream=True))
    assert failure_in(path, answer.text)
    assert len(relay.sandbox.requests) == 3


@every_path
def test_a_client_error_is_never_retried(patient, relay, path):
    relay.sandbox.script("status", status=400, times=9)

    assert patient.post(path, question(path, stream=True)).status_code == 400
    assert len(relay.sandbox.requests) == 1


def test_an_error_of_the_upstream_keeps_its_structure(relay):
    odd = {"error": {"message": "No.", "type": "odd", "code": "x", "resets_in_seconds": 9999}}
    relay.sandbox.script("status", status=429, body=odd)

    answer = relay.post(RESPONSES, question(RESPONSES, stream=True))

    assert answer.status_code == 429
    error = json.loads(answer.text)["error"]
    assert (error["message"], error["code"], error["resets_in_seconds"]) == ("No.", "x", 9999)
    assert answer.headers["Retry-After"] == "9999"
