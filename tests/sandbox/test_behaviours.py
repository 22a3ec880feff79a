"""Every behaviour does on the wire what its name says, whether scripted, asked for in the prompt or
by the model's name; and the sandbox notices when its client leaves.
"""

import gzip
import socket
import threading

import orjson
import pytest
import requests
from urllib3.exceptions import ProtocolError

from airelays_app.sandbox.behaviours import BEHAVIOURS, LINE_BREAKS

MOST_SECONDS = 30
LONG = "[[long 50]]"


@pytest.fixture
def wire(codex):
    """Send one inference request on a plain socket and return what comes back, to the end."""

    def send(prompt="hello", read_all=True):
        body = orjson.dumps(codex.body(prompt))
        host, port = codex.sandbox.issuer_url.removeprefix("http://").split(":")
        lines = ["POST /backend-api/codex/responses HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in codex.headers.items()]
        lines += [f"content-length: {len(body)}", "connection: close", "", ""]
        connection = socket.create_connection((host, int(port)), timeout=MOST_SECONDS)
        connection.sendall("\r\n".join(lines).encode() + body)
        if not read_all:
            return connection
        with connection, connection.makefile("rb") as answer:
            return answer.read()

    return send


def ends_whole(raw):
    return raw.endswith(b"0\r\n\r\n")


def test_cut_ends_in_the_middle_of_a_frame(codex, wire):
    codex.sandbox.script("cut", after=2)
    raw = wire(LONG)
    assert raw.count(b"event: response.output_text.delta") == 3
    assert not ends_whole(raw)
    assert not raw.endswith(b"\r\n")


def test_cut_between_frames_leaves_whole_ones(codex, wire):
    codex.sandbox.script("cut", after=2, mid_frame=False)
    raw = wire(LONG)
    assert raw.count(b"event: response.output_text.delta") == 2
    assert raw.endswith(b"\n\n\r\n")


def test_a_cut_comes_before_the_end_of_a_short_answer(codex, wire):
    codex.sandbox.script("cut", after=1000)
    raw = wire("[[say hi]]")
    assert b"response.completed" in raw
    assert not ends_whole(raw)


def test_no_terminal_is_a_clean_end_without_the_terminal_event(codex):
    events = codex.events("[[behave no_terminal]]")
    assert events[-1]["type"] == "response.output_item.done"


def test_reset_at_once_and_after_deltas(codex, wire):
    codex.sandbox.script("reset")
    with pytest.raises(ConnectionResetError):
        wire()
    codex.sandbox.script("reset", after=2)
    with pytest.raises(ConnectionResetError):
        wire(LONG)


def test_garbage_is_no_http_or_no_json(codex, wire):
    codex.sandbox.script("garbage")
    assert not wire().startswith(b"HTTP/")
    codex.sandbox.script("garbage", after=1)
    raw = wire(LONG)
    assert b"data: {this is not JSON\n\n" in raw
    assert ends_whole(raw)


def test_silent_sends_headers_and_nothing_else(codex, wire):
    codex.sandbox.script("silent", seconds=0.2)
    head, _, body = wire().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_stalled_stops_after_some_deltas(codex, wire):
    codex.sandbox.script("stalled", after=2, seconds=0.2)
    raw = wire(LONG)
    assert raw.count(b"event: response.output_text.delta") == 2
    assert not ends_whole(raw)


@pytest.mark.parametrize("name", ["silent", "late", "stalled", "slow"])
def test_a_client_that_leaves_is_noticed(codex, wire, name):
    codex.sandbox.script(name, seconds=60)
    connection = wire(LONG, read_all=False)
    log = codex.sandbox.requests
    assert log.wait_for(1, path_end="/responses")
    assert log[-1].closed_at is None
    connection.close()
    assert log.wait_closed(log[-1], timeout=MOST_SECONDS)
    assert log[-1].closed_early


def test_a_client_that_leaves_while_bytes_flow_is_noticed(codex, wire):
    connection = wire("[[behave huge 64 6400]]", read_all=False)
    connection.recv(1000)
    connection.close()
    log = codex.sandbox.requests
    assert log.wait_closed(log[-1], timeout=MOST_SECONDS)
    assert log[-1].closed_early


def test_a_client_that_leaves_during_its_upload_is_noticed(sandbox):
    host, port = sandbox.issuer_url.removeprefix("http://").split(":")
    head = b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"
    with socket.create_connection((host, int(port)), timeout=MOST_SECONDS) as connection:
        connection.sendall(head)
    assert sandbox.requests.wait_for(1)
    assert sandbox.requests[0].closed_early
    assert sandbox.requests[0].body == b"{"


def test_slow_waits_before_each_delta_and_late_before_everything(codex):
    codex.sandbox.script("slow", seconds=0.05)
    codex.events("[[say a b c d]]")
    codex.sandbox.script("late", seconds=0.2)
    codex.events("[[say a]]")
    for request in codex.sandbox.requests:
        assert codex.sandbox.requests.wait_closed(request)
        assert request.closed_at - request.received_at >= 0.2


def test_html_status_and_redirect_replace_the_answer(codex):
    codex.sandbox.script("html")
    answer = codex.post(codex.body())
    assert (answer.status_code, answer.headers["content-type"][:9]) == (502, "text/html")
    codex.sandbox.script("status", status=529, code="overloaded", retry_after=7)
    answer = codex.post(codex.body())
    assert (answer.status_code, answer.headers["retry-after"]) == (529, "7")
    assert answer.json()["error"]["code"] == "overloaded"
    codex.sandbox.script("redirect", location="http://127.0.0.1:1/elsewhere")
    answer = codex.post(codex.body(), allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        "http://127.0.0.1:1/elsewhere",
    )


def test_limit_says_when_it_resets(codex):
    codex.sandbox.script("limit", resets_in_seconds=120, plan_type="pro")
    answer = codex.post(codex.body())
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (429, "usage_limit_reached")
    assert (error["plan_type"], error["resets_in_seconds"]) == ("pro", 120)
    assert isinstance(error["resets_at"], int)


def test_limit_is_a_rate_limit_on_a_compatible_server(compatible):
    compatible.sandbox.script("limit", retry_after=3)
    answer = compatible.chat()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


def test_unauthorized_once_lets_the_retry_through(codex):
    bodies = [codex.body("[[behave unauthorized_once]]"), codex.body(model="gpt-5.5")]
    bodies[1]["model"] += "+unauthorized_once"
    for body in bodies:
        statuses = [codex.post(body).status_code for _ in range(4)]
        assert statuses == [401, 200, 401, 200]
    codex.sandbox.script("unauthorized_once")
    assert [codex.post(codex.body()).status_code for _ in range(2)] == [401, 200]


def test_forbidden_is_403(codex):
    codex.sandbox.script("forbidden")
    assert codex.post(codex.body()).status_code == 403


def test_failed_and_error_break_off_after_deltas(codex):
    codex.sandbox.script("failed", after=2, code="server_is_overloaded")
    events = codex.events(LONG)
    assert sum(event["type"].endswith(".delta") for event in events) == 2
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["code"] == "server_is_overloaded"
    codex.sandbox.script("error_event", after=1)
    events = codex.events(LONG)
    assert events[-1]["type"] == "error"
    assert sum(event["type"].endswith(".delta") for event in events) == 1


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
def test_incomplete_shortens_and_says_why(codex, reason):
    codex.sandbox.script("incomplete", reason=reason, after=2)
    events = codex.events("[[say one two three]]")
    assert codex.text_of(events) == "one two"
    done = next(event for event in events if event["type"] == "response.output_item.done")
    assert done["item"]["status"] == "incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": reason}


def test_line_separators_cross_raw(codex):
    body = codex.post(codex.body("[[behave line_separator]]")).content
    assert "\u2028".encode() in body
    assert "\u0085".encode() in body
    assert b"\x0b" in body
    assert codex.text_of(codex.events_of(body)) == LINE_BREAKS


def test_huge_is_that_big_in_that_many_deltas(codex):
    codex.sandbox.script("huge", megabytes=2, deltas=4)
    events = codex.events()
    assert len(codex.text_of(events).encode()) == 2_000_000
    assert sum(event["type"].endswith(".delta") for event in events) == 4


def test_empty_has_no_item_at_all(codex):
    kinds = [event["type"] for event in codex.events("[[behave empty]]")]
    assert "response.output_item.added" not in kinds
    assert kinds[-1] == "response.completed"


def test_one_byte_sends_single_byte_chunks(codex, wire):
    codex.sandbox.script("one_byte")
    body = wire("[[say é]]").partition(b"\r\n\r\n")[2]
    assert body.startswith(b"1\r\ne\r\n1\r\nv\r\n")
    assert "[[say é]]".encode() not in body


def test_crlf_comments_and_close_delimited_keep_the_meaning(codex):
    codex.sandbox.script("crlf+comments+close_delimited")
    answer = codex.post(codex.body("[[say fine]]"))
    assert "transfer-encoding" not in answer.headers
    assert b": keep-alive\r\n\r\n" in answer.content
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    assert codex.text_of(codex.events_of(answer.content.replace(b"\r\n", b"\n"))) == "fine"


@pytest.mark.parametrize("first", [True, False])
def test_unknown_events_come_where_asked(codex, first):
    codex.sandbox.script("unknown_events", first=first)
    events = codex.events()
    kinds = [event["type"] for event in events]
    assert "codex.mystery" in kinds
    assert (kinds[0] == "codex.mystery") is first
    assert any(event.get("item", {}).get("type") == "mystery_call" for event in events)


def test_usage_can_be_missing(codex, compatible):
    assert "usage" not in codex.events("[[behave usage_missing]]")[-1]["response"]
    assert "usage" not in compatible.chat("[[behave usage_missing]]").json()


def test_buffered_answers_a_stream_with_one_document(codex):
    answer = codex.post(codex.body("[[behave buffered]]"))
    assert answer.json()["status"] == "completed"


def test_a_buffered_answer_can_be_packed_cut_and_slowed(compatible):
    compatible.sandbox.script("gzip")
    answer = compatible.chat("[[say packed]]")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["choices"][0]["message"]["content"] == "packed"
    compatible.sandbox.script("cut")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, ProtocolError)):
        compatible.chat()


def test_a_script_waits_for_its_path_and_model(codex):
    sandbox = codex.sandbox
    sandbox.script("status", path="/models", status=503)
    sandbox.script("status", model="gpt-5.4", status=504)
    assert codex.post(codex.body()).status_code == 200
    assert codex.post(codex.body(model="gpt-5.4")).status_code == 504
    assert codex.get("/backend-api/codex/models").status_code == 503
    assert codex.get("/backend-api/codex/models").status_code == 200


def test_scripts_queue_up_and_may_last(codex):
    codex.sandbox.script("status", status=500, times=2)
    codex.sandbox.script("forbidden")
    statuses = [codex.post(codex.body()).status_code for _ in range(4)]
    assert statuses == [500, 500, 403, 200]


def test_a_models_name_may_carry_behaviours(codex):
    events = codex.events(model="gpt-5.5+usage_missing+empty")
    assert events[-1]["response"]["model"] == "gpt-5.5"
    assert "usage" not in events[-1]["response"]


@pytest.mark.parametrize(("name", "options"), [("explode", {}), ("slow", {"secs": 1})])
def test_a_wrong_script_is_refused_at_once(sandbox, name, options):
    with pytest.raises(ValueError, match=name):
        sandbox.script(name, **options)


def test_a_behaviour_holds_for_its_own_round(compatible):
    prompt = "[[behave forbidden]] [[then]] [[say through]]"
    messages = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ]
    assert compatible.chat(prompt).status_code == 403
    answer = compatible.chat(messages).json()
    assert answer["choices"][0]["message"]["content"] == "through"


def test_a_wrong_directive_says_so(codex):
    answer = codex.post(codex.body("[[behave explode]]"))
    assert answer.status_code == 400
    assert "explode" in answer.text


def test_every_behaviour_can_be_scripted_without_options(sandbox):
    for name in BEHAVIOURS:
        sandbox.script(name)
    sandbox.reset()


def test_a_hundred_streams_at_once(codex):
    codex.sandbox.script("slow", seconds=0.02, times=100)
    texts = []

    def stream():
        answer = requests.post(
            f"{codex.sandbox.codex_url}/responses",
            json=codex.body("[[say a b c d e]]"),
            headers=codex.headers,
            timeout=MOST_SECONDS,
        )
        texts.append(codex.text_of(codex.events_of(answer.content)))

    threads = [threading.Thread(target=stream) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["a b c d e"] * 100


def test_gzip_is_real(compatible):
    compatible.sandbox.script("gzip")
    url = f"{compatible.sandbox.compatible_url}/chat/completions"
    headers = {"Authorization": f"Bearer {compatible.sandbox.compatible_key}"}
    body = {"model": "sandbox-small", "messages": [{"role": "user", "content": "x"}]}
    with requests.post(url, json=body, headers=headers, stream=True, timeout=30) as answer:
        assert b"chat.completion" in gzip.decompress(answer.raw.read(decode_content=False))
