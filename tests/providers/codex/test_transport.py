"""The issuer is asked over the relay's own client: once, alone on its connection, no redirects."""

import pytest

from airelays_app.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.oauth import read_tokens, renewal_request
from airelays_app.providers.codex.transport import issuer_poster
from airelays_app.sandbox import Sandbox
from airelays_app.upstream.client import ClientOptions


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


def test_json_and_forms_arrive(sandbox):
    post = issuer_poster(ClientOptions())
    login = sandbox.login()
    url, body = renewal_request(Issuer(sandbox.issuer_url), login["refresh_token"])
    answer = post(url, json=body)
    assert set(read_tokens(answer)) == {"id_token", "access_token", "refresh_token"}
    refused = post(sandbox.issuer_url + "/oauth/token", form={"client_id": "nobody \u00e9"})
    assert refused.status == 401
    first, second = sandbox.requests
    assert first.headers["content-type"] == "application/json"
    assert first.headers["user-agent"].startswith("airelays/")
    assert second.body == b"client_id=nobody+%C3%A9"
    assert first.connection != second.connection


def test_a_redirect_is_an_answer_and_is_not_followed(issuer):
    issuer.answers = [(307, b"elsewhere")]
    post = issuer_poster(ClientOptions())
    assert post(issuer.url + "/oauth/token", json={"refresh_token": "x"}).status == 307
    assert len(issuer.requests) == 1


def test_nobody_there(issuer):
    with pytest.raises(UpstreamUnreachable):
        issuer_poster(ClientOptions())("http://127.0.0.1:9/oauth/token", json={})


def test_silence_is_a_timeout_after_which_nothing_is_sent_again(issuer):
    issuer.release.clear()
    post = issuer_poster(ClientOptions(), read_timeout=0.1)
    with pytest.raises(UpstreamTimeout):
        post(issuer.url + "/oauth/token", json={"refresh_token": "refresh-0"})
    assert len(issuer.requests) == 1


def test_an_endless_answer_is_refused(issuer):
    issuer.answers = [(200, b"x" * (2 << 20))]
    with pytest.raises(UpstreamError):
        issuer_poster(ClientOptions())(issuer.url + "/oauth/token", json={})
