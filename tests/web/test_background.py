"""``background: true``: the reply is made whether anybody waits or not.

It is answered at once, and polled, cancelled or streamed from any worker. A stream that broke off
goes on behind any of its events, with nothing lost or repeated, while the reply is made and
afterwards. A reply whose worker was killed ends as ``failed`` with ``worker_lost``; a worker that
is told to end finishes its replies first.
"""

import itertools
import json
import os
import signal
import threading
import time

import pytest
import requests

from airelays_app.composition.application import create_app
from airelays_app.config.loading import load_settings
from tests.conftest import parse_sse
from tests.hostile.vital_signs import children_of
from tests.seeds.asking import RESPONSES, question, text_of
from tests.web.test_stored_responses import (
    UPSTREAMS,
    input_items,
    is_kept,
    kept,
    said_in,
)

PATIENCE = 60.0
LONG = "[[long 4000]] [[behave slow 0.02]]"
"""Takes longer than any test waits, unless it is ended."""

ENDED = ("completed", "failed", "cancelled", "incomplete")


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream for each lane."""
    return start_relay(plain="responses")


on_every_lane = pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)


def begin(relay, text="[[say Hi]]", **more):
    """Return the response as it waits to be made."""
    return relay.ok(RESPONSES, question(RESPONSES, text, background=True, **more))


def await_status(relay, response_id, *statuses):
    deadline = time.monotonic() + PATIENCE
    while (found := kept(relay, response_id))["status"] not in statuses:
        assert found["status"] not in ENDED, found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def cancel(relay, response_id):
    answer = relay.post(f"{RESPONSES}/{response_id}/cancel")
    assert answer.status_code == 200, answer.text
    return answer.json()


def follow(relay, response_id, after=None):
    """Return all events of a response behind ``after``, as they come."""
    query = "?stream=true" + (f"&starting_after={after}" if after is not None else "")
    answer = relay.get(f"{RESPONSES}/{response_id}{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return parse_sse(answer.text)


def begin_stream(relay, text, *, until, **more):
    """Begin a reply as a stream and leave it; return its id and the events that had come."""
    body = question(RESPONSES, text, background=True, **more)
    events = []
    with relay.streaming(RESPONSES, body) as answer:
        for line in answer.iter_lines():
            if line.startswith(b"data: "):
                events.append(json.loads(line[6:]))
                if until(events[-1]):
                    break
    return events[0]["response"]["id"], events


def is_delta(event):
    return event["type"] == "response.output_text.delta"


def numbers(events):
    return [event["sequence_number"] for event in events]


@on_every_lane
def test_it_is_answered_at_once_and_polled(relay, model):
    waiting = begin(relay, "[[say Hi]] [[behave late 0.5]]", model=model, metadata={"a": "b"})
    assert (waiting["status"], waiting["background"], waiting["output"]) == ("queued", True, [])

    made = await_status(relay, waiting["id"], "completed")

    assert text_of(RESPONSES, made) == "Hi"
    for name in ("id", "created_at", "background", "metadata", "model"):
        assert made[name] == waiting[name]
    assert made["store"] is True
    assert made["usage"]["output_tokens"] > 0
    assert is_kept(relay, waiting["id"])


def test_it_is_in_progress_meanwhile(relay):
    waiting = begin(relay, LONG)

    await_status(relay, waiting["id"], "in_progress")
    cancel(relay, waiting["id"])


def test_what_it_made_is_continued_and_referred_to(relay):
    first = begin(relay, "[[say one]]")
    made = await_status(relay, first["id"], "completed")
    second = begin(relay, "[[say two]]", previous_response_id=first["id"])
    await_status(relay, second["id"], "completed")
    assert said_in(relay.asked()) == ["[[say one]]", "one", "[[say two]]"]

    reference = {"type": "item_reference", "id": made["output"][0]["id"]}
    relay.ok(RESPONSES, question(RESPONSES) | {"input": [reference]})
    assert said_in(relay.asked()) == ["one"]
    assert len(input_items(relay, second["id"])["data"]) == 1


def test_it_cannot_be_continued_before_its_end(relay):
    waiting = begin(relay, LONG)

    body = question(RESPONSES, previous_response_id=waiting["id"])
    answer = relay.post(RESPONSES, body)

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "response_in_progress"
    assert answer.headers["Retry-After"]
    cancel(relay, waiting["id"])


def test_a_conversation_gets_its_turn(relay):
    conversation = relay.ok("/v1/conversations", {})["id"]
    waiting = begin(relay, "[[say Hi]] [[behave late 0.5]]", conversation=conversation)
    assert relay.refusal(RESPONSES, question(RESPONSES, conversation=conversation), 409)

    made = await_status(relay, waiting["id"], "completed")

    assert made["conversation"] == {"id": conversation}
    items = relay.get(f"/v1/conversations/{conversation}/items").json()["data"]
    assert [item["role"] for item in items] == ["assistant", "user"]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"store": False}, "store"),
        ({"background": "yes"}, "background"),
        ({"tools": 7}, "tools"),
        ({"input": [{"role": "robot"}], "model": "box/sandbox-small"}, "input[0].role"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_request_is_said_at_once(relay, wrong, param):
    error = relay.refusal(RESPONSES, question(RESPONSES, background=True) | wrong)

    assert error["param"] == param


@on_every_lane
@pytest.mark.parametrize("behaviour", ["status 400", "failed", "cut 2", "reset", "garbage"])
@pytest.mark.parametrize("stream", [False, True], ids=["polled", "streamed"])
def test_what_goes_wrong_upstream_ends_it_as_failed(relay, model, behaviour, stream):
    waiting = begin_any(relay, f"[[say one two three]] [[behave {behaviour}]]", stream, model)

    made = await_status(relay, waiting, "failed")

    assert made["error"]["message"]
    assert made["error"]["code"] in ("server_error", "invalid_prompt", "rate_limit_exceeded")
    if stream:
        last = follow(relay, waiting)[-2:]
        assert [event.name for event in last] == ["error", "response.failed"]
        assert last[1].data["response"] == made
        assert last[0].data["error"]["message"] == made["error"]["message"]


def begin_any(relay, text, stream, model="gpt-5.5"):
    if not stream:
        return begin(relay, text, model=model)["id"]
    return begin_stream(relay, text, until=lambda event: True, model=model)[0]


# Cancelling.


@on_every_lane
@pytest.mark.parametrize(
    "behaviour",
    ["late 50", "silent", "stalled 3", "slow 0.05"],
    ids=["no headers", "no events", "in a pause", "under way"],
)
def test_it_is_cancelled_in_every_phase_and_the_upstream_let_go(relay, model, behaviour):
    waiting = begin(relay, f"[[long 4000]] [[behave {behaviour}]]", model=model)
    await_true(lambda: len(relay.sandbox.requests) == 1)

    assert cancel(relay, waiting["id"])["status"] == "cancelled"

    await_true(lambda: relay.sandbox.requests[-1].closed_early)
    found = kept(relay, waiting["id"])
    assert (found["status"], found["error"]) == ("cancelled", None)
    assert cancel(relay, waiting["id"]) == found


def await_true(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_has_ended_stays_as_it_is(relay):
    waiting = begin(relay)
    made = await_status(relay, waiting["id"], "completed")

    assert cancel(relay, waiting["id"]) == made


def test_a_reply_that_somebody_waits_for_is_not_cancelled_so(relay):
    given = relay.ok(RESPONSES, question(RESPONSES, store=True))

    error = relay.refusal(f"{RESPONSES}/{given['id']}/cancel", {})

    assert "background" in error["message"]


def test_a_deleted_reply_is_not_made_any_more(relay):
    waiting = begin(relay, LONG)
    await_true(lambda: len(relay.sandbox.requests) == 1)

    assert relay.delete(f"{RESPONSES}/{waiting['id']}").status_code == 200

    await_true(lambda: relay.sandbox.requests[-1].closed_early)
    assert not is_kept(relay, waiting["id"])


def test_who_follows_hears_of_the_cancelling(relay):
    response_id, _ = begin_stream(relay, LONG, until=is_delta)
    told = []
    follower = threading.Thread(target=lambda: told.extend(follow(relay, response_id)))
    follower.start()
    cancel(relay, response_id)
    follower.join(PATIENCE)

    assert told[-1].name == "response.incomplete"
    assert told[-1].data["response"]["status"] == "cancelled"
    assert numbers(event.data for event in told) == list(range(len(told)))


def test_who_follows_hears_of_the_deleting(relay):
    with relay.streaming(RESPONSES, question(RESPONSES, LONG, background=True)) as answer:
        said = (line[6:] for line in answer.iter_lines() if line.startswith(b"data: "))
        created = json.loads(next(said))
        relay.delete(f"{RESPONSES}/{created['response']['id']}")
        *others, last = map(json.loads, said)

    assert (last["type"], last["error"]["code"]) == ("error", "response_deleted")
    assert numbers([created, *others, last]) == list(range(len(others) + 2))


def test_another_credential_can_do_nothing_with_it(relay):
    phone = relay.add_token("phone")
    waiting = begin(relay, LONG)
    path = f"{RESPONSES}/{waiting['id']}"

    assert relay.get(path, token=phone).status_code == 404
    assert relay.get(f"{path}?stream=true", token=phone).status_code == 404
    assert relay.post(f"{path}/cancel", token=phone).status_code == 404
    assert relay.delete(path, token=phone).status_code == 404
    assert kept(relay, waiting["id"])["status"] in ("queued", "in_progress")
    cancel(relay, waiting["id"])


# Streams.


@on_every_lane
def test_it_is_streamed_as_it_is_made(relay, model):
    body = question(RESPONSES, "[[say one two three]]", background=True, model=model)
    events = relay.events(RESPONSES, body)

    names = [event.name for event in events]
    assert names[:2] == ["response.created", "response.queued"]
    assert names[-1] == "response.completed"
    assert names.count("response.created") == names.count("response.queued") == 1
    assert numbers(event.data for event in events) == list(range(len(events)))
    assert all(event.name == event.data["type"] for event in events)
    shown = [event.data["response"] for event in events if "response" in event.data]
    assert len({response["id"] for response in shown}) == 1
    assert all(response["background"] is True for response in shown)
    assert kept(relay, shown[0]["id"]) == shown[-1]


@on_every_lane
def test_a_broken_stream_goes_on_with_nothing_lost_or_repeated(relay, model):
    text = "[[long 60]] [[behave slow 0.02]]"
    response_id, begun = begin_stream(relay, text, until=is_delta, model=model)
    last = begun[-1]["sequence_number"]

    rest = [event.data for event in follow(relay, response_id, last)]

    whole = [event.data for event in follow(relay, response_id)]
    assert begun + rest == whole
    assert numbers(whole) == list(range(len(whole)))
    said = "".join(event["delta"] for event in whole if is_delta(event))
    assert said == text_of(RESPONSES, whole[-1]["response"])
    assert whole[-1]["response"] == kept(relay, response_id)


def test_it_goes_on_behind_every_event(relay):
    response_id, _ = begin_stream(relay, "[[say one two]]", until=lambda event: False)
    whole = [event.data for event in follow(relay, response_id)]

    for event in whole[:-1]:
        after = event["sequence_number"]
        assert [each.data for each in follow(relay, response_id, after)] == whole[after + 1 :]
    answer = relay.get(f"{RESPONSES}/{response_id}?stream=true&starting_after={len(whole) - 1}")
    assert (answer.status_code, answer.text.strip()) == (200, ": keep-alive")


def test_many_follow_one(relay):
    response_id, _ = begin_stream(relay, "[[long 60]] [[behave slow 0.02]]", until=is_delta)
    told = [[] for _ in range(6)]
    followers = [
        threading.Thread(target=lambda mine=mine: mine.extend(follow(relay, response_id)))
        for mine in told
    ]
    for follower in followers:
        follower.start()
    for follower in followers:
        follower.join(PATIENCE)

    assert all(mine == told[0] for mine in told)
    assert told[0][-1].name == "response.completed"


def test_events_come_while_the_reply_is_made(relay):
    response_id, _ = begin_stream(relay, LONG, until=is_delta)
    headers = {"Authorization": f"Bearer {relay.token}"}
    url = f"{relay.url}{RESPONSES}/{response_id}?stream=true"
    with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
        lines = answer.iter_lines()
        deltas = (line for line in lines if line.startswith(b"event: response.output_text.delta"))
        assert len(list(itertools.islice(deltas, 5))) == 5
    assert kept(relay, response_id)["status"] == "in_progress"
    cancel(relay, response_id)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?stream=maybe", "stream"),
        ("?stream=true&starting_after=x", "starting_after"),
        ("?stream=true&starting_after=-1", "starting_after"),
    ],
)
def test_a_bad_query_is_refused_by_name(relay, query, param):
    answer = relay.get(f"{RESPONSES}/resp_1{query}")

    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == param


def test_only_a_stream_is_streamed_again(relay):
    waiting = begin(relay)
    given = relay.ok(RESPONSES, question(RESPONSES, store=True))

    for response_id in (waiting["id"], given["id"]):
        answer = relay.get(f"{RESPONSES}/{response_id}?stream=true")
        assert answer.status_code == 422
        assert answer.json()["error"]["param"] == "stream"


# Workers.


@pytest.mark.parametrize("stream", [False, True], ids=["polled", "streamed"])
def test_a_reply_whose_worker_was_killed_is_lost_for_whoever_looks(start_relay, stream):
    relay = start_relay()
    response_id = begin_any(relay, LONG, stream)
    await_true(lambda: len(relay.sandbox.requests) == 1)
    for pid in children_of(relay.process.pid):
        os.kill(pid, signal.SIGKILL)

    found = await_status(relay, response_id, "failed")

    assert found["error"]["code"] == "worker_lost"
    if stream:
        events = [event.data for event in follow(relay, response_id)]
        assert numbers(events) == list(range(len(events)))
        assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
        assert events[-1]["response"] == found


def test_who_follows_hears_that_the_worker_was_killed(start_relay):
    relay = start_relay()
    response_id, _ = begin_stream(relay, LONG, until=is_delta)
    for pid in children_of(relay.process.pid):
        os.kill(pid, signal.SIGKILL)

    assert follow(relay, response_id)[-1].data["response"]["error"]["code"] == "worker_lost"


def test_a_worker_that_is_replaced_finishes_its_replies_first(start_relay):
    relay = start_relay()
    waiting = begin(relay, "[[long 30]] [[behave slow 0.05]]")
    await_true(lambda: len(relay.sandbox.requests) == 1)
    old = set(children_of(relay.process.pid))
    relay.process.send_signal(signal.SIGHUP)
    relay.await_log("message=reloaded")

    assert await_status(relay, waiting["id"], "completed")["usage"]
    await_true(lambda: not old & set(children_of(relay.process.pid)))


def test_a_relay_that_is_stopped_waits_for_its_replies(start_relay):
    relay = start_relay(STOP_SECONDS="60")
    waiting = begin(relay, "[[long 20]] [[behave slow 0.05]]")
    await_true(lambda: len(relay.sandbox.requests) == 1)
    assert relay.stop() == 0
    again = start_relay(sandbox=relay.sandbox, DATA_DIR=str(relay.data_dir))

    assert kept(again, waiting["id"])["status"] == "completed"


def test_what_takes_longer_than_a_stop_may_is_lost_and_said_so(start_relay):
    relay = start_relay(STOP_SECONDS="1")
    response_id, _ = begin_stream(relay, LONG, until=is_delta)
    relay.stop()
    again = start_relay(sandbox=relay.sandbox, DATA_DIR=str(relay.data_dir))

    assert kept(again, response_id)["error"]["code"] == "worker_lost"
    assert follow(again, response_id)[-1].name == "response.failed"


def test_a_worker_makes_so_many_at_once_and_no_more(start_relay):
    relay = start_relay(RESPONSES_BACKGROUND_RUNS="1", WORKERS="1")
    waiting = begin(relay, LONG)

    answer = relay.post(RESPONSES, question(RESPONSES, background=True))

    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_background_responses"
    assert answer.headers["Retry-After"]
    cancel(relay, waiting["id"])
    deadline = time.monotonic() + PATIENCE
    while relay.post(RESPONSES, question(RESPONSES, background=True)).status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_reply_that_no_thread_can_make_leaves_nothing_behind(tmp_path, monkeypatch):
    environ = {
        "HOME": str(tmp_path),
        "AIRELAYS_REQUIRE_BEARER_AUTH": "false",
        "AIRELAYS_PROVIDERS_NOWHERE_BASE_URL": "http://127.0.0.1:9/v1",
        "AIRELAYS_RESPONSES_BACKGROUND_RUNS": "1",
    }
    client = create_app(load_settings(environ=environ)).test_client()
    body = {**question(RESPONSES, background=True), "model": "nowhere/any"}

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refusing("background", threading.Thread.start))
        refused = client.post(RESPONSES, json=body)
    assert refused.status_code == 503
    assert "no thread" in refused.json["error"]["message"]

    waiting = client.post(RESPONSES, json=body)
    assert waiting.json["status"] == "queued"


def refusing(name, start):
    """Return a ``Thread.start`` that fails, as it does without a further thread, for one name."""

    def start_or_fail(thread):
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    return start_or_fail
