"""``docs/http-api.rst`` names every route, header and error that the relay has, and no other."""

import pytest

from airelays_app.web.document import written
from tests.docs import http_api

WORKS, LACKS = http_api.routes()
HEADERS = http_api.documented_headers()
BEGINNINGS = tuple(name for name in HEADERS if name.endswith("-"))


def test_every_route_that_works_has_an_entry():
    assert WORKS - http_api.documented_routes() == set()


def test_every_entry_is_a_route_that_works():
    assert http_api.documented_routes() - WORKS == set()


@pytest.mark.parametrize("path", sorted(LACKS))
def test_every_route_that_answers_501_is_listed(path):
    assert f"``{path}``" in http_api.TEXT


def test_the_tables_are_up_to_date():
    stale = "run: python -m airelays_app.web.document"
    assert written(http_api.TEXT) == http_api.TEXT, stale


def test_every_error_has_an_entry():
    assert http_api.errors_in_code() - set(http_api.documented_errors()) == set()


def test_every_entry_is_an_error_that_can_occur():
    assert set(http_api.documented_errors()) - http_api.errors_in_code() == set()


def test_errors_are_listed_once_and_by_status():
    statuses = [status for status, _, _ in http_api.documented_errors()]
    assert statuses == sorted(statuses)
    assert len(set(http_api.documented_errors())) == len(statuses)


@pytest.mark.parametrize("name", sorted(http_api.headers_in_code()))
def test_every_header_that_the_code_names_has_an_entry(name):
    assert is_documented(name) or f"``{name}``" in http_api.TEXT


def is_documented(name: str) -> bool:
    return name.lower() in HEADERS or name.lower().startswith(BEGINNINGS)


def test_every_header_that_is_answered_has_an_entry(relay):
    question = {"model": "gpt-5.5", "input": "Hi", "temperature": 1}
    form = {"file": ("a.txt", b"text", "text/plain")}
    stored = relay.post("/v1/files", files=form).json()["id"]
    origin = {"Origin": "http://page.example"}
    answers = [
        relay.get("/"),
        relay.get("/assets/home.css"),
        relay.get("/healthz", headers=origin),
        relay.get("/v1/models"),
        relay.get("/v1/models", token="wrong"),
        relay.request("PUT", "/v1/files"),
        relay.get(f"/v1/files/{stored}/content"),
        relay.post("/v1/embeddings", {}),
        relay.post("/v1/responses", question),
        relay.post("/v1/responses", question | {"stream": True}),
        relay.request("OPTIONS", "/v1/models", headers=preflight(origin)),
        refused_login(relay, question),
    ]

    seen = {name for answer in answers for name in answer.headers}

    assert {name for name in seen if not is_documented(name)} == set()
    assert {"x-airelays-upstream-auth", "x-codex-plan-type"} <= {name.lower() for name in seen}


def preflight(origin):
    asked = {"Method": "POST", "Headers": "authorization", "Private-Network": "true"}
    return origin | {f"Access-Control-Request-{name}": value for name, value in asked.items()}


def refused_login(relay, question):
    relay.sandbox.script("unauthorized", times=2)
    answer = relay.post("/v1/responses", question)
    assert answer.status_code == 503, answer.text
    return answer
