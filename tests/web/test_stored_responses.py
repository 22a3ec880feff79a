"""Replies of ``/v1/responses`` are kept by the relay itself, whatever the upstream keeps.

By default and with ``store: true``, whole and streamed, on every kind of upstream: what is
retrieved is what the client was given. With ``store: false``, and when the client left in the
middle, nothing is kept. Everything is for the credential that asked for it; another one gets 404,
as for what there never was.
"""

import json
import os
import signal
import time

import pytest

from tests.hostile.vital_signs import children_of
from tests.seeds.asking import ADD, RESPONSES, question, text_of

PATIENCE = 60.0
UPSTREAMS = {
    "patched": "gpt-5.5",
    "translated": "box/sandbox-small",
    "as it came": "plain/sandbox-small",
}


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream for each lane."""
    return start_relay(plain="responses")


on_every_lane = pytest.mark.parametrize("model", UPSTREAMS.values(), ids=UPSTREAMS)


def ask(relay, text="[[say Hi]]", *, stream=False, **more):
    """Return the whole reply, as the client got it."""
    body = question(RESPONSES, text, **more)
    if not stream:
        return relay.ok(RESPONSES, body)
    return relay.events(RESPONSES, body)[-1].data["response"]


def kept(relay, response_id, **options):
    answer = relay.get(f"{RESPONSES}/{response_id}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_kept(relay, response_id, **options):
    status = relay.get(f"{RESPONSES}/{response_id}", **options).status_code
    assert status in (200, 404)
    return status == 200


def input_items(relay, response_id, query=""):
    answer = relay.get(f"{RESPONSES}/{response_id}/input_items{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(items):
    return [part["text"] for item in items for part in item["content"]]


@pytest.fixture(scope="module")
def phone(module_relay):
    """Return the token of another device."""
    return module_relay.add_token("phone")


@on_every_lane
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("store", [None, True], ids=["by default", "asked for"])
def test_what_is_retrieved_is_what_the_client_was_given(relay, model, stream, store):
    text = '[[say One]] [[call add {"a": 1, "b": 2}]]'
    given = ask(relay, text, model=model, stream=stream, store=store, tools=[ADD])

    found = kept(relay, given["id"])

    assert found == {**given, "store": True}
    assert [item["type"] for item in found["output"]] == ["message", "function_call"]
    assert given["store"] is True or store is None


@on_every_lane
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_nothing_is_kept_against_the_client_s_will(relay, model, stream):
    given = ask(relay, model=model, stream=stream, store=False)

    assert not is_kept(relay, given["id"])


def test_it_is_found_by_every_worker(relay):
    given = ask(relay)
    pids = set()
    for _ in range(40):
        assert is_kept(relay, given["id"])
        pids |= {line.split("pid=")[1].split()[0] for line in requests_in(relay.log(), given["id"])}
        if len(pids) == 2:
            return
    pytest.fail("all requests went to one worker")


def requests_in(log, response_id):
    return [line for line in log.splitlines() if f"path={RESPONSES}/{response_id}" in line]


def test_it_is_forgotten_when_it_is_deleted(relay):
    given = ask(relay)

    told = relay.delete(f"{RESPONSES}/{given['id']}").json()

    assert told == {"id": given["id"], "object": "response", "deleted": True}
    assert not is_kept(relay, given["id"])
    assert relay.delete(f"{RESPONSES}/{given['id']}").status_code == 404
    assert relay.get(f"{RESPONSES}/{given['id']}/input_items").status_code == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("response_id", ["resp_none", "resp_%ED%A0%80", "%00", "ä", "a" * 5000])
def test_unknown_ids_are_404(relay, method, response_id):
    answer = relay.request(method, f"{RESPONSES}/{response_id}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_another_credential_sees_nothing_of_it(relay, phone):
    given = ask(relay)
    path = f"{RESPONSES}/{given['id']}"

    assert relay.get(path, token=phone).status_code == 404
    assert relay.get(f"{path}/input_items", token=phone).status_code == 404
    assert relay.delete(path, token=phone).status_code == 404
    assert relay.refusal(
        RESPONSES, question(RESPONSES, previous_response_id=given["id"]), 400, token=phone
    )
    reference = [{"type": "item_reference", "id": given["output"][0]["id"]}]
    assert relay.refusal(RESPONSES, question(RESPONSES) | {"input": reference}, 404, token=phone)
    assert is_kept(relay, given["id"])


def test_what_a_device_has_kept_is_the_main_tokens_when_it_ends_and_no_later_devices(relay):
    tablet = relay.add_token("tablet")
    given = relay.post(RESPONSES, question(RESPONSES, store=True), token=tablet).json()
    path = f"{RESPONSES}/{given['id']}"
    item = [{"type": "item_reference", "id": given["output"][0]["id"]}]
    assert relay.get(path).status_code == 404

    relay.command("token", "revoke", "tablet")
    other = relay.add_token("tablet")

    assert relay.get(path, token=other).status_code == 404
    assert relay.get(path).json()["id"] == given["id"]
    assert relay.ok(RESPONSES, question(RESPONSES) | {"input": item})
    relay.command("token", "revoke", "tablet")


def test_a_reply_that_the_client_did_not_wait_for_is_not_kept(relay):
    body = question(RESPONSES, "[[long 500]] [[behave slow 0.05]]", store=True)
    with relay.streaming(RESPONSES, body) as answer:
        first = next(line for line in answer.iter_lines() if line.startswith(b"data: "))
    response_id = json.loads(first[6:])["response"]["id"]

    assert not is_kept(relay, response_id)


@on_every_lane
@pytest.mark.parametrize("behaviour", ["failed", "cut"])
def test_a_reply_that_broke_off_is_kept_as_failed(relay, model, behaviour):
    text = f"[[say one two three four five six]] [[behave slow 0.4]] [[behave {behaviour}]]"
    given = ask(relay, text, model=model, stream=True, store=True)
    assert given["status"] == "failed"

    found = kept(relay, given["id"])

    assert (found["status"], found["error"]) == ("failed", given["error"])


def test_what_was_promised_survives_the_death_of_the_worker(start_relay):
    relay = start_relay()
    given = ask(relay, stream=True, store=True)
    for pid in children_of(relay.process.pid):
        os.kill(pid, signal.SIGKILL)

    assert kept(relay, given["id"])["output"] == given["output"]


def test_what_is_on_its_way_is_written_before_the_relay_ends(start_relay):
    relay = start_relay()
    given = [ask(relay, f"[[say {number}]]") for number in range(5)]
    relay.stop()
    again = start_relay(sandbox=relay.sandbox, DATA_DIR=str(relay.data_dir))

    assert [text_of(RESPONSES, kept(again, each["id"])) for each in given] == list("01234")


def test_only_what_is_asked_for_is_kept_where_the_owner_says_so(start_relay):
    relay = start_relay(RESPONSES_STORE_BY_DEFAULT="false")

    assert not is_kept(relay, ask(relay)["id"])
    assert is_kept(relay, ask(relay, store=True)["id"])


# Input items.

THREE = [
    {"type": "message", "role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "[[say Hi]]"}]},
    {"id": "msg_of_the_client", "role": "user", "content": "three"},
]


def test_input_items_are_listed_the_last_first(relay):
    given = relay.ok(RESPONSES, question(RESPONSES) | {"input": THREE})

    found = input_items(relay, given["id"])

    assert found["object"] == "list"
    assert texts(found["data"]) == ["three", "[[say Hi]]", "Be brief."]
    assert found["data"][0]["id"] == found["first_id"] == "msg_of_the_client"
    assert found["data"][-1]["id"] == found["last_id"]
    assert found["has_more"] is False
    assert found == input_items(relay, given["id"])


def test_input_items_come_in_pages(relay):
    given = relay.ok(RESPONSES, question(RESPONSES) | {"input": THREE})
    whole = input_items(relay, given["id"], "?order=asc")["data"]

    first = input_items(relay, given["id"], "?order=asc&limit=2")
    rest = input_items(relay, given["id"], f"?order=asc&limit=2&after={first['last_id']}")

    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert first["data"] + rest["data"] == whole
    assert relay.get(f"{RESPONSES}/{given['id']}/input_items?after=msg_none").status_code == 404
    assert relay.get(f"{RESPONSES}/{given['id']}/input_items?limit=0").status_code == 422
    assert relay.get(f"{RESPONSES}/{given['id']}/input_items?order=up").status_code == 422


@pytest.mark.parametrize("given", ["[[say Hi]]", THREE[1]], ids=["a string", "one item"])
def test_every_form_of_input_is_listed_as_items(relay, given):
    response = relay.ok(RESPONSES, question(RESPONSES) | {"input": given})

    assert texts(input_items(relay, response["id"])["data"]) == ["[[say Hi]]"]


# Continuing.


@on_every_lane
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_reply_is_continued_by_its_id(relay, model, stream):
    first = ask(relay, "[[say one]]", model=model, stream=stream, instructions="Old.")
    second = ask(relay, "[[say two]]", model=model, stream=stream, previous_response_id=first["id"])
    third = ask(relay, "[[say three]]", model=model, stream=stream, instructions="New.",
                previous_response_id=second["id"])  # fmt: skip

    assert second["previous_response_id"] == first["id"]
    assert kept(relay, third["id"])["previous_response_id"] == second["id"]
    sent = relay.sandbox.requests[-1].json
    assert said_in(sent) == ["[[say one]]", "one", "[[say two]]", "two", "[[say three]]"]
    assert "previous_response_id" not in sent
    assert "Old." not in json.dumps(sent)
    assert text_of(RESPONSES, third) == "three"


def said_in(sent):
    """Return the texts of user and assistant in a body for either kind of upstream."""
    found = []
    for item in sent.get("input") or sent["messages"]:
        content = item.get("content")
        if item.get("role") in ("user", "assistant"):
            parts = content if isinstance(content, list) else [{"text": content}]
            found += [part["text"] for part in parts]
    return found


def test_calls_and_their_results_are_continued(relay):
    first = ask(relay, '[[call add {"a": 1, "b": 2}]]', tools=[ADD])
    call = first["output"][0]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "3"}
    body = question(RESPONSES, previous_response_id=first["id"]) | {"input": [result]}

    relay.ok(RESPONSES, body)

    items = relay.asked()["input"]
    assert [item["type"] for item in items[1:]] == ["function_call", "function_call_output"]
    assert items[1]["call_id"] == items[2]["call_id"] == call["call_id"]


def test_two_replies_may_continue_one(relay):
    first = ask(relay, "[[say one]]")
    ask(relay, "[[say left]]", previous_response_id=first["id"])
    ask(relay, "[[say right]]", previous_response_id=first["id"])

    assert said_in(relay.asked()) == ["[[say one]]", "one", "[[say right]]"]


def test_a_reply_that_is_not_kept_cannot_be_continued(relay):
    forgotten = ask(relay, store=False)
    body = question(RESPONSES, previous_response_id=forgotten["id"])

    error = relay.refusal(RESPONSES, body, 400)

    assert (error["code"], error["param"]) == (
        "previous_response_not_found",
        "previous_response_id",
    )


def test_nothing_is_left_out_of_the_middle(relay):
    """Rather no answer than one to half of what was said."""
    first = ask(relay)
    second = ask(relay, previous_response_id=first["id"])
    relay.delete(f"{RESPONSES}/{first['id']}")

    body = question(RESPONSES, previous_response_id=second["id"])
    assert relay.refusal(RESPONSES, body, 400)["code"] == "previous_response_not_found"


def test_a_conversation_is_not_continued_as_a_reply_too(relay):
    first = ask(relay)
    conversation = relay.ok("/v1/conversations", {})["id"]
    both = question(RESPONSES, previous_response_id=first["id"], conversation=conversation)

    assert relay.refusal(RESPONSES, both)["param"] == "previous_response_id"


def test_files_are_sent_again_with_what_is_continued(relay):
    stored = relay.post("/v1/files", files={"file": ("a.pdf", b"%PDF", "application/pdf")}).json()
    content = [{"type": "input_file", "file_id": stored["id"]}]
    body = question(RESPONSES) | {"input": [{"role": "user", "content": content}]}
    first = relay.ok(RESPONSES, body)
    ask(relay, previous_response_id=first["id"])

    part = relay.asked()["input"][0]["content"][0]
    assert part["file_data"].startswith("data:application/pdf;base64,")
    listed = input_items(relay, first["id"])["data"][0]["content"][0]
    assert listed["file_id"] == stored["id"]


# References.


@on_every_lane
def test_items_are_referred_to_by_their_ids(relay, model):
    first = ask(relay, "[[say one]]", model=model)
    theirs = input_items(relay, first["id"])["data"][0]
    references = [{"type": "item_reference", "id": theirs["id"]}, {"id": first["output"][0]["id"]}]
    new = {"role": "user", "content": "[[say two]]"}

    second = relay.ok(RESPONSES, question(RESPONSES, model=model) | {"input": [*references, new]})

    assert said_in(relay.sandbox.requests[-1].json) == ["[[say one]]", "one", "[[say two]]"]
    assert texts(input_items(relay, second["id"], "?order=asc")["data"]) == [
        "[[say one]]",
        "one",
        "[[say two]]",
    ]


def test_an_item_that_the_client_has_named_is_referred_to_by_that_name(relay):
    relay.ok(RESPONSES, question(RESPONSES) | {"input": THREE})
    reference = {"type": "item_reference", "id": "msg_of_the_client"}

    relay.ok(RESPONSES, question(RESPONSES) | {"input": [reference, THREE[1]]})

    assert said_in(relay.asked()) == ["three", "[[say Hi]]"]


def test_an_item_of_the_conversation_is_referred_to(relay):
    conversation = relay.ok("/v1/conversations", {"items": [THREE[2]]})["id"]
    listed = relay.get(f"/v1/conversations/{conversation}/items").json()["data"][0]
    body = question(RESPONSES, conversation=conversation)

    relay.ok(RESPONSES, body | {"input": [{"type": "item_reference", "id": listed["id"]}]})

    assert said_in(relay.asked()) == ["three", "three"]


@pytest.mark.parametrize("item_id", ["msg_none", f"msg_{1:016x}{0:016x}", "\ud800", ""])
def test_an_unknown_item_is_named(relay, phone, item_id):
    """The second id is one that the relay makes, of somebody else's response or of none."""
    items = [THREE[1], {"type": "item_reference", "id": item_id}]

    error = relay.refusal(RESPONSES, question(RESPONSES) | {"input": items}, 404, token=phone)

    assert error["param"] == "input[1].id"


def test_reasoning_goes_back_with_its_seal(relay):
    """Whether the client has asked for the seal or not."""
    first = ask(relay, "[[reason Hm]] [[say one]]")
    ask(relay, previous_response_id=first["id"])

    sealed = [item for item in relay.asked()["input"] if item["type"] == "reasoning"]
    assert [item["encrypted_content"] for item in sealed] == [
        first["output"][0]["encrypted_content"]
    ]


def test_reasoning_that_cannot_go_back_is_left_out(relay):
    first = ask(relay, "[[reason Hm]] [[say one]]", model="plain/sandbox-small")
    reasoning = first["output"][0]
    assert reasoning["type"] == "reasoning"
    assert not reasoning.get("encrypted_content")
    references = [{"type": "item_reference", "id": item["id"]} for item in first["output"]]

    relay.ok(RESPONSES, question(RESPONSES) | {"input": [*references, THREE[1]]})

    assert said_in(relay.asked()) == ["one", "[[say Hi]]"]


# Retention.


def test_the_oldest_are_forgotten_when_all_are_too_large(start_relay):
    relay = start_relay(RESPONSES_MAX_TOTAL_MB="1")
    padding = "x" * 300_000
    given = [ask(relay, f"[[say {i}]] {padding}", store=True)["id"] for i in range(6)]
    deadline = time.monotonic() + PATIENCE
    while is_kept(relay, given[0]):
        assert time.monotonic() < deadline
        ask(relay, store=True)
        time.sleep(0.1)

    assert is_kept(relay, given[-1])
