"""The stand-ins' batches of vendors with a form of their own: run, cancelled, refused.

For Mistral the judge is what its SDK (mistralai 3.7) demands of an answer, for xAI what its
documentation shows.
"""

import json

import pytest
import requests

from tests.sandbox.test_batches import CHAT, NEVER, line

JOB_FIELDS = {
    *("id", "input_files", "endpoint", "errors", "status", "created_at"),
    *("total_requests", "completed_requests", "succeeded_requests", "failed_requests"),
}
FILE_FIELDS = {
    *("id", "object", "bytes", "created_at", "filename", "purpose", "sample_type", "source"),
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Client:
    """Makes calls with a key; each returns the JSON object that answers it."""

    def __init__(self, url, key):
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method, path, status=200, **options):
        answer = self._session.request(method, self._url + path, timeout=30, **options)
        assert answer.status_code == status
        return answer.json()

    def upload(self, lines, status=200, **fields):
        content = b"\n".join(json.dumps(each).encode() for each in lines)
        return self.call(
            "POST", "/files", status, files={"file": ("a.jsonl", content)}, data=fields
        )

    def close(self):
        self._session.close()


class Mistral(Client):
    def run(self, lines, status=200, **fields):
        body = {"model": "sandbox-small", "endpoint": CHAT, "metadata": {"k": "v"}}
        body["input_files"] = [self.upload(lines, purpose="batch")["id"]]
        return self.call("POST", "/batch/jobs", status, json={**body, **fields})

    def job(self, job_id):
        return self.call("GET", f"/batch/jobs/{job_id}")

    def results(self, file_id):
        answer = self._session.get(f"{self._url}/files/{file_id}/content", timeout=30)
        return [json.loads(each) for each in answer.iter_lines()]


@pytest.fixture
def mistral(sandbox):
    client = Mistral(sandbox.mistral_url, sandbox.mistral_key)
    yield client
    client.close()


def bare(text, custom_id="a", **fields):
    body = {"messages": [{"role": "user", "content": text}], **fields}
    return {"custom_id": custom_id, "body": body}


def test_mistral_runs_a_job_and_lists_it(sandbox, mistral):
    sandbox.settings.batch_looks = 2
    job = mistral.run([bare("[[say Hi]]"), bare("x", "b", store=True)])
    assert job.keys() >= JOB_FIELDS
    assert [job["status"], *(mistral.job(job["id"])["status"] for _ in range(2))] == [
        *("QUEUED", "RUNNING", "SUCCESS"),
    ]
    ended = mistral.job(job["id"])
    assert (ended["succeeded_requests"], ended["failed_requests"]) == (1, 1)
    good, bad = mistral.results(ended["output_file"]), mistral.results(ended["error_file"])
    assert good[0]["response"]["body"]["choices"][0]["message"]["content"] == "Hi"
    assert bad[0]["custom_id"] == "b"
    assert bad[0]["response"] == {"status_code": 422, "body": None}
    later = mistral.run([bare("x")])
    listed = mistral.call("GET", "/batch/jobs?page=1&page_size=1")
    assert [each["id"] for each in listed["data"]] == [job["id"]]
    assert listed["data"][0]["metadata"] == {"k": "v"}
    oldest_first = mistral.call("GET", "/batch/jobs?order_by=created")["data"]
    assert [each["id"] for each in oldest_first][-2:] == [job["id"], later["id"]]
    assert listed["total"] == len(oldest_first)


def test_mistral_keeps_a_file_as_long_as_it_is_told(mistral):
    file = mistral.upload([bare("x")], purpose="batch", expiry="2")
    assert file.keys() >= FILE_FIELDS
    assert file["expires_at"] == file["created_at"] + 7200


def test_mistral_cancels_a_job(sandbox, mistral):
    sandbox.settings.batch_looks = NEVER
    job = mistral.run([bare("[[say Hi]]"), bare("x", "b")])
    cancelled = mistral.call("POST", f"/batch/jobs/{job['id']}/cancel")
    assert cancelled["status"] == "CANCELLATION_REQUESTED"
    ended = mistral.job(job["id"])
    assert ended["status"] == "CANCELLED"
    assert [each["custom_id"] for each in mistral.results(ended["output_file"])] == ["a"]


def test_mistral_tells_that_time_was_over(sandbox, mistral):
    sandbox.script("batch_expired", path="/batch/jobs")
    job = mistral.run([bare("[[say Hi]]"), bare("x", "b")])
    assert mistral.job(job["id"])["status"] == "TIMEOUT_EXCEEDED"


@pytest.mark.parametrize("lines", [[], [line("x")], [{"custom_id": "a", "body": "x"}]])
def test_mistral_fails_a_job_whose_file_is_wrong(mistral, lines):
    job = mistral.job(mistral.run(lines)["id"])
    assert job["status"] == "FAILED"
    assert job["errors"][0]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "/v1/nothing"),
        ("input_files", None),
        ("timeout_hours", 169),
        ("metadata", {"k" * 33: "v"}),
        ("completion_window", "24h"),
    ],
)
def test_mistral_refuses_what_cannot_be_a_job(mistral, field, value):
    refusal = mistral.run([bare("x")], 422, **{field: value})
    assert refusal["detail"][0]["loc"] == ["body", field]


def test_mistral_refuses_other_files_and_knows_no_strangers(mistral):
    mistral.upload([], 422, purpose="nothing")
    mistral.upload([], 422, purpose="batch", expiry="soon")
    mistral.upload([], 422, purpose="batch", **{"expires_after[seconds]": "1"})
    mistral.run([bare("x")], 404, input_files=[UNKNOWN])
    mistral.call("GET", f"/batch/jobs/{UNKNOWN}", 404)
    mistral.call("GET", f"/files/{UNKNOWN}/content", 404)


class XAI(Client):
    def run(self, lines, status=200, **fields):
        body = {"name": "mine", "input_file_id": self.upload(lines)["id"], **fields}
        return self.call("POST", "/batches", status, json=body)

    def batch(self, batch_id):
        return self.call("GET", f"/batches/{batch_id}")

    def results(self, batch_id):
        return self.call("GET", f"/batches/{batch_id}/results")["results"]


@pytest.fixture
def xai(sandbox):
    client = XAI(sandbox.xai_url, sandbox.xai_key)
    yield client
    client.close()


def test_xai_runs_a_batch_and_counts_its_requests(sandbox, xai):
    sandbox.settings.batch_looks = 2
    made = xai.run([line("[[say Hi]]"), line("[[behave status 400]]", "b")])
    assert made["state"]["num_requests"] == 0
    assert xai.batch(made["batch_id"])["state"]["num_pending"] == 2
    ended = xai.batch(made["batch_id"])
    assert ended["cancel_time"] is None
    assert [ended["state"][name] for name in ("num_pending", "num_success", "num_error")] == [
        0,
        1,
        1,
    ]
    good, bad = xai.results(made["batch_id"])
    completion = good["batch_result"]["response"]["chat_get_completion"]
    assert completion["choices"][0]["message"]["content"] == "Hi"
    assert (bad["batch_request_id"], bad["batch_result"]["error"]["code"]) == ("b", 3)


def test_xai_lists_batches_and_results_in_pages(xai):
    made = [xai.run([line("x"), line("y", "b")])["batch_id"] for _ in range(2)]
    listed, token = [], "0"
    while token:
        page = xai.call("GET", f"/batches?limit=1&pagination_token={token}")
        listed += [each["batch_id"] for each in page["batches"]]
        token = page["pagination_token"]
    assert listed[-2:] == made
    assert xai.call("GET", f"/batches/{made[0]}/results?limit=1")["pagination_token"]


def test_xai_cancels_a_batch(sandbox, xai):
    sandbox.settings.batch_looks = NEVER
    batch = xai.run([line("[[say Hi]]"), line("x", "b")])
    cancelled = xai.call("POST", f"/batches/{batch['batch_id']}:cancel")
    assert cancelled["cancel_time"]
    assert cancelled["cancel_by_xai_message"] is None
    assert cancelled["state"]["num_cancelled"] == 1
    assert xai.results(batch["batch_id"])[1]["batch_result"]["error"]["code"] == 1


@pytest.mark.parametrize("lines", [[], [bare("x")], [line("x", url="/v1/nothing")]])
def test_xai_cancels_a_batch_whose_file_is_wrong(xai, lines):
    batch = xai.batch(xai.run(lines)["batch_id"])
    assert batch["cancel_time"]
    assert batch["cancel_by_xai_message"].startswith("JSONL file validation failed")
    assert batch["state"]["num_requests"] == 0


def test_xai_refuses_what_cannot_be_a_batch(xai):
    xai.upload([], 400, expires_after="1")
    xai.run([line("x")], 400, name="")
    xai.run([line("x")], 400, metadata={})
    xai.run([line("x")], 404, input_file_id="file_none")
    assert xai.call("GET", "/batches/batch_none", 404)["code"] == "not-found"
