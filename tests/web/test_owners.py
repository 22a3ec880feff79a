"""What a credential has made is for it alone; to any other it is not there (404).

Files and conversations here, wherever they can be named: on their own routes, in requests of every
kind, in the requests of batches. Responses and batches have it in their own modules.
"""

from base64 import b64encode

import pytest

from tests.conftest import SERVE, RunningRelay
from tests.seeds.asking import CHAT, COMPLETIONS, RESPONSES, question
from tests.web.test_batches import await_end, results_of

MODEL = "box/sandbox-small"
SAID = "The cat is called Mimi."
IN_A_FILE = b64encode(SAID.encode())


@pytest.fixture(scope="module")
def phone(module_relay):
    """Return the token of another device."""
    return module_relay.add_token("phone")


def upload(relay, content=b"said", purpose="user_data", **options):
    form = {"files": {"file": ("a.txt", content)}, "data": {"purpose": purpose}}
    return relay.post("/v1/files", **form, **options).json()["id"]


def begin_conversation(relay, **options):
    items = [{"role": "user", "content": SAID}]
    return relay.ok("/v1/conversations", {"items": items}, **options)["id"]


def with_file(path, file_id):
    kind = "input_file" if path == RESPONSES else "file"
    name = {"file_id": file_id}
    part = {"type": kind, **(name if path == RESPONSES else {"file": name})}
    content = [{"role": "user", "content": [part]}]
    return question(path, model=MODEL) | {"input" if path == RESPONSES else "messages": content}


def test_a_file_is_there_for_its_owner_only(relay, phone):
    file_id = upload(relay)
    path = f"/v1/files/{file_id}"

    for method, asked in (("GET", path), ("GET", f"{path}/content"), ("DELETE", path)):
        assert relay.request(method, asked, token=phone).status_code == 404
    assert relay.get("/v1/files", token=phone).json()["data"] == []
    assert relay.get(f"/v1/files?after={file_id}", token=phone).status_code == 404
    assert relay.get(f"{path}/content").content == b"said"


@pytest.mark.parametrize("path", [RESPONSES, CHAT])
def test_no_request_of_another_reads_a_file(relay, phone, path):
    file_id = upload(relay, SAID.encode())

    error = relay.refusal(path, with_file(path, file_id), token=phone)

    assert "names no stored file" in error["message"]
    assert relay.ok(path, with_file(path, file_id))
    assert IN_A_FILE in relay.sandbox.requests[-1].body


def test_no_batch_of_another_reads_a_file(relay, phone):
    line = b'{"body": {"model": "box/sandbox-small", "prompt": "x"}}'
    batch = {"endpoint": COMPLETIONS, "input_file_id": upload(relay, line, "batch")}

    assert relay.refusal("/v1/batches", batch, 404, token=phone)
    await_end(relay, relay.ok("/v1/batches", batch)["id"])


def test_a_conversation_is_there_for_its_owner_only(relay, phone):
    path = f"/v1/conversations/{begin_conversation(relay)}"
    item_id = relay.get(f"{path}/items").json()["first_id"]
    more = {"items": [{"role": "user", "content": "more"}]}

    for method, asked, body in (
        ("GET", path, None),
        ("POST", path, {"metadata": {"a": "b"}}),
        ("DELETE", path, None),
        ("GET", f"{path}/items", None),
        ("POST", f"{path}/items", more),
        ("GET", f"{path}/items/{item_id}", None),
        ("DELETE", f"{path}/items/{item_id}", None),
    ):
        assert relay.request(method, asked, json=body, token=phone).status_code == 404
    assert len(relay.get(f"{path}/items").json()["data"]) == 1


@pytest.mark.parametrize(
    "path", [RESPONSES, CHAT, COMPLETIONS, f"{RESPONSES}/input_tokens", f"{RESPONSES}/compact"]
)
def test_no_request_of_another_goes_on_with_a_conversation(relay, phone, path):
    asked = path if path in (CHAT, COMPLETIONS) else RESPONSES
    conversation = begin_conversation(relay)
    body = question(asked, model=MODEL, conversation=conversation)

    error = relay.refusal(path, body, 404, token=phone)

    assert error["message"] == "There is no conversation with this id."
    assert relay.ok(path, body)


def test_no_request_of_another_refers_to_an_item_of_a_conversation(relay, phone):
    conversation = begin_conversation(relay)
    item_id = relay.get(f"/v1/conversations/{conversation}/items").json()["first_id"]
    reference = [{"type": "item_reference", "id": item_id}]
    body = {"model": MODEL, "conversation": conversation, "input": reference}

    assert relay.refusal(RESPONSES, body, 404, token=phone)
    assert relay.ok(RESPONSES, body)


def test_a_batch_reads_what_is_its_owners_and_nothing_else(relay, phone):
    given = {"file_id": upload(relay, SAID.encode())}
    conversation = begin_conversation(relay)
    said = [{"role": "user", "content": [{"type": "input_file", **given}]}]
    requests = [
        {"body": {"model": MODEL, "input": said}},
        {"body": {"model": MODEL, "input": "x", "conversation": conversation}},
    ]
    batch = {"endpoint": RESPONSES, "requests": requests}

    own = relay.ok("/v1/batches", batch)
    await_end(relay, own["id"])
    sent = [asked.body for asked in relay.sandbox.requests[-2:]]
    others = relay.ok("/v1/batches", batch, token=phone)
    results = f"/v1/batches/{others['id']}/results"
    await_end(relay, others["id"], token=phone)

    assert [each["error"] for each in results_of(relay, own["id"])] == [None, None]
    assert any(IN_A_FILE in body for body in sent)
    assert any(SAID.encode() in body for body in sent)
    refused = [each["error"]["param"] for each in relay.get(results, token=phone).json()["data"]]
    assert refused == ["input[0].content[0].file_id", "conversation_id"]


def test_a_reply_of_a_batch_does_not_claim_to_be_kept(relay):
    body = {"model": MODEL, "input": "[[say Hi]]", "store": True}
    batch = relay.ok("/v1/batches", {"endpoint": RESPONSES, "requests": [{"body": body}]})
    await_end(relay, batch["id"])

    reply = results_of(relay, batch["id"])[0]["response"]

    assert reply["store"] is False
    assert relay.get(f"{RESPONSES}/{reply['id']}").status_code == 404


def test_what_a_device_has_made_is_the_main_tokens_when_it_ends(relay):
    tablet = relay.add_token("tablet")
    file_id = upload(relay, token=tablet)
    conversation = begin_conversation(relay, token=tablet)
    assert relay.get(f"/v1/files/{file_id}").status_code == 404

    relay.command("token", "revoke", "tablet")

    assert relay.get(f"/v1/files/{file_id}").status_code == 200
    assert relay.get(f"/v1/conversations/{conversation}").status_code == 200


def test_what_was_made_without_a_token_is_for_every_token(start_relay):
    opened = start_relay(REQUIRE_BEARER_AUTH="false")
    file_id, conversation = upload(opened, token=None), begin_conversation(opened, token=None)
    kept = opened.ok(RESPONSES, question(RESPONSES, model=MODEL), token=None)["id"]
    requests = [{"body": question(RESPONSES, model=MODEL)}]
    batch = {"endpoint": RESPONSES, "requests": requests}
    batch_id = opened.ok("/v1/batches", batch, token=None)["id"]
    await_end(opened, batch_id, token=None)
    opened.stop()
    environ = opened.environ | {"AIRELAYS_REQUIRE_BEARER_AUTH": "true"}
    relay = RunningRelay(opened.home, opened.sandbox, environ, SERVE)
    more = question(RESPONSES, model=MODEL)

    try:
        for token in (relay.token, relay.add_token("phone")):
            path = f"/v1/conversations/{conversation}"
            assert relay.get(f"/v1/files/{file_id}", token=token).status_code == 200
            assert relay.get(path, token=token).status_code == 200
            assert relay.get(f"{RESPONSES}/{kept}", token=token).status_code == 200
            assert relay.ok(RESPONSES, {**more, "previous_response_id": kept}, token=token)
            [listed] = relay.get("/v1/batches", token=token).json()["data"]
            assert listed["id"] == batch_id
            output = f"/v1/files/{listed['output_file_id']}/content"
            assert relay.get(output, token=token).status_code == 200
    finally:
        relay.stop()
