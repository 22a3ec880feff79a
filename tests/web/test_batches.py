"""Batches: run by the relay while nobody waits, each request once in the results.

From a stored file or from requests in the body, on every provider; paced by what the upstream asks
for; cancelled; going on after a worker or the whole relay was killed; visible to their owner only.
"""

import json
import os
import signal
import time

import pytest
from openai import OpenAI

from tests.conftest import TOKEN
from tests.hostile.vital_signs import children_of

PATIENCE = 90.0
ENDPOINT = "/v1/chat/completions"
W = "completion_window"


def asking(text, custom_id=None, model="box/sandbox-small"):
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return {"method": "POST", "url": ENDPOINT, "body": body} | (
        {"custom_id": custom_id} if custom_id else {}
    )


def begin(relay, requests, **options):
    return relay.ok("/v1/batches", {"endpoint": ENDPOINT, "requests": requests, **options})


def await_end(relay, batch_id, states=("completed",), **options):
    deadline = time.monotonic() + PATIENCE
    while True:
        batch = relay.get(f"/v1/batches/{batch_id}", **options).json()
        if batch["status"] in ("completed", "cancelled", "expired", "failed"):
            assert batch["status"] in states, batch
            return batch
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)


def results_of(relay, batch_id):
    answer = relay.get(f"/v1/batches/{batch_id}/results")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def text_of(result):
    return result["response"]["choices"][0]["message"]["content"]


def test_requests_in_the_body_are_run_in_their_order(relay):
    batch = begin(relay, [asking(f"[[say {i}]]") for i in range(7)], metadata={"a": "b"})
    assert batch["object"] == "batch"
    assert batch["request_counts"]["total"] == 7
    ended = await_end(relay, batch["id"])
    assert ended["request_counts"] == {"total": 7, "completed": 7, "failed": 0}
    assert ended["metadata"] == {"a": "b"}
    results = results_of(relay, batch["id"])
    assert [text_of(each) for each in results] == [str(i) for i in range(7)]
    assert results[0]["custom_id"] == "request-1"
    assert len(relay.sandbox.requests.to("/chat/completions")) == 7


def test_the_openai_sdk_runs_a_batch_from_a_file(relay):
    lines = [asking("[[say one]]", "first"), asking("x", "second", model="box/no-such-model")]
    with OpenAI(base_url=relay.base_url, api_key=TOKEN, max_retries=0) as client:
        content = "\n".join(map(json.dumps, lines)).encode()
        file = client.files.create(file=("in.jsonl", content), purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h"
        )
        ended = await_end(relay, batch.id)
        batch = client.batches.retrieve(batch.id)
        assert batch.request_counts.completed == batch.request_counts.failed == 1
        output = json.loads(client.files.content(batch.output_file_id).text)
        failed = json.loads(client.files.content(batch.error_file_id).text)
        assert batch.id in [each.id for each in client.batches.list()]
    assert ended["completed_at"] >= ended["created_at"]
    assert output["custom_id"] == "first"
    assert output["response"]["body"]["choices"][0]["message"]["content"] == "one"
    assert failed["response"]["status_code"] == 404
    assert failed["response"]["body"]["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("endpoint", ["/v1/responses", "/v1/completions"])
def test_other_endpoints_and_the_subscription_run_too(relay, endpoint):
    name = "input" if endpoint == "/v1/responses" else "prompt"
    requests = [{"body": {"model": "gpt-5.5", name: "[[say Hi]]"}}]
    batch = begin(relay, requests, endpoint=endpoint)
    await_end(relay, batch["id"])
    assert "Hi" in json.dumps(results_of(relay, batch["id"])[0]["response"])


def test_a_request_may_continue_a_response_of_its_owner(relay):
    model = "box/sandbox-small"
    first = relay.ok("/v1/responses", {"model": model, "input": "once", "store": True})
    body = {"model": model, "input": "[[say Hi]]", "previous_response_id": first["id"]}
    unseen = {"model": model, "input": "x", "background": True}
    batch = begin(relay, [{"body": body}, {"body": unseen}], endpoint="/v1/responses")
    await_end(relay, batch["id"])
    good, refused = results_of(relay, batch["id"])
    assert good["response"]["previous_response_id"] == first["id"]
    assert b"once" in relay.sandbox.requests[-1].body
    assert refused["error"]["param"] == "background"


def test_a_used_up_quota_is_waited_for(relay):
    relay.sandbox.script("limit", times=2, path="/chat/completions")
    batch = begin(relay, [asking("[[say a]]"), asking("[[say b]]")])
    assert await_end(relay, batch["id"])["request_counts"]["completed"] == 2


def test_what_runs_cannot_be_read_yet_and_can_be_cancelled(relay):
    batch = begin(relay, [asking("[[behave late 0.3]]") for _ in range(40)])
    early = relay.get(f"/v1/batches/{batch['id']}/results")
    assert early.status_code == 409
    assert early.headers["Retry-After"]
    assert relay.post(f"/v1/batches/{batch['id']}/cancel").json()["status"] == "cancelling"
    ended = await_end(relay, batch["id"], ("cancelled",))
    counts = ended["request_counts"]
    assert counts["completed"] < 40
    assert counts["completed"] + counts["failed"] == len(results_of(relay, batch["id"])) == 40


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "endpoint"),
        ({"endpoint": "/v1/nothing", "requests": [{}]}, "endpoint"),
        ({"endpoint": ENDPOINT}, "input_file_id"),
        ({"endpoint": ENDPOINT, "requests": []}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [7]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [{"body": "x"}]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [asking("x", "a"), asking("y", "a")]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [{**asking("x"), "url": "/v1/x"}]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [{"body": {"stream": True}}]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [asking("x", "\ud800")]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [asking("x", model="\udfff")]}, "requests"),
        ({"endpoint": ENDPOINT, "requests": [asking("x")], "completion_window": "soon"}, W),
        ({"endpoint": ENDPOINT, "requests": [asking("x")], "completion_window": "8d"}, W),
        ({"endpoint": ENDPOINT, "requests": [asking("x")], "completion_window": "0h"}, W),
        ({"endpoint": ENDPOINT, "requests": [asking("x")], "completion_window": 24}, W),
        ({"endpoint": 7}, "endpoint"),
        ({"endpoint": ENDPOINT, "requests": [asking("x")], "metadata": {"a": 1}}, "metadata"),
        (
            {"endpoint": ENDPOINT, "requests": [asking("x")], "metadata": {"a": "b" * 513}},
            "metadata",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(relay, body, param):
    error = relay.refusal("/v1/batches", body)
    assert error["param"] == param


def test_a_batch_has_the_time_that_it_is_given(relay):
    batch = begin(relay, [asking("[[say Hi]]")], completion_window="3d")
    assert batch["completion_window"] == "3d"
    assert batch["metadata"] is None
    assert batch["expires_at"] - batch["created_at"] == 3 * 86_400
    assert await_end(relay, batch["id"])["completion_window"] == "3d"


def test_each_request_has_its_line_in_the_log(relay):
    batch = begin(relay, [asking("[[say Hi]]")])
    await_end(relay, batch["id"])
    relay.await_log("method=BATCH path=/v1/chat/completions status=200")


def test_unknown_ids_are_404(relay):
    assert relay.get("/v1/batches/batch_none").status_code == 404
    assert relay.post("/v1/batches/batch_none/cancel").status_code == 404
    assert relay.get("/v1/batches/batch_none/results").status_code == 404
    assert relay.get("/v1/batches?after=batch_none").status_code == 404
    body = {"endpoint": ENDPOINT, "input_file_id": "file_none"}
    assert relay.post("/v1/batches", body).status_code == 404


def test_a_killed_worker_s_batch_goes_on_with_each_result_once(start_relay):
    relay = start_relay()
    batch = begin(relay, [asking(f"[[say {i}]] [[behave late 0.2]]") for i in range(12)])
    await_count(relay, batch["id"], 3)
    for pid in children_of(relay.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert await_end(relay, batch["id"])["request_counts"]["completed"] == 12
    assert [text_of(each) for each in results_of(relay, batch["id"])] == [str(i) for i in range(12)]


def await_count(relay, batch_id, count):
    deadline = time.monotonic() + PATIENCE
    while relay.get(f"/v1/batches/{batch_id}").json()["request_counts"]["completed"] < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_another_credential_sees_nothing_of_it(start_relay):
    relay = start_relay()
    batch = begin(relay, [asking("[[say mine]]")])
    results = f"/v1/files/{await_end(relay, batch['id'])['output_file_id']}"
    other = relay.add_token("phone")
    own = f"/v1/batches/{batch['id']}"
    for path in (own, f"{own}/results", f"/v1/batches?after={batch['id']}"):
        assert relay.get(path, token=other).status_code == 404
    assert relay.post(f"{own}/cancel", token=other).status_code == 404
    assert relay.get("/v1/batches", token=other).json()["data"] == []
    assert relay.get("/v1/batches").json()["data"][0]["id"] == batch["id"]
    assert relay.get("/v1/files", token=other).json()["data"] == []
    for method, path in (("GET", results), ("GET", f"{results}/content"), ("DELETE", results)):
        assert relay.request(method, path, token=other).status_code == 404
    assert relay.get(f"{results}/content").status_code == 200
