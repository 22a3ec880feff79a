"""What crosses the relay in headers, and what does not.

* Nothing of a client's credentials, cookies or hop-by-hop headers reaches an upstream.
* An upstream's cookies and hop-by-hop headers do not reach a client; a redirect is never followed,
  least of all with the upstream's key to another host.
* No value, whoever chose it, begins a header of its own.
"""

from collections.abc import Iterator

import pytest

from tests.conftest import RunningRelay, StartRelay
from tests.security.echoing_upstream import EchoingUpstream

SENT_BY_THE_RELAY = {
    "accept",
    "accept-encoding",
    "authorization",
    "chatgpt-account-id",
    "content-length",
    "content-type",
    "host",
    "originator",
    "session_id",
    "user-agent",
}
BAGGAGE = {
    "Cookie": "sid=clients-cookie",
    "Proxy-Authorization": "Basic Y2xpZW50",
    "X-Api-Key": "clients-other-key",
    "X-Goog-Api-Key": "clients-google-key",
    "Forwarded": "for=192.0.2.1",
    "X-Forwarded-For": "192.0.2.1",
    "X-Real-Ip": "192.0.2.1",
    "Origin": "https://app.example",
    "Referer": "https://app.example/?secret",
    "Keep-Alive": "timeout=9",
    "Te": "trailers",
    "Connection": "keep-alive, x-hop",
    "X-Hop": "for this connection only",
    "User-Agent": "clients-agent",
}
NEVER_FROM_UPSTREAM = {"set-cookie", "keep-alive", "proxy-authenticate", "x-upstream"}
KEY = "the-key-of-the-echoing-upstream"


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoingUpstream]:
    with (
        EchoingUpstream() as elsewhere,
        EchoingUpstream(elsewhere=elsewhere.url, cookie="upstreams-cookie") as upstream,
    ):
        yield upstream
        assert elsewhere.seen == []


@pytest.fixture(scope="module")
def echoing_relay(start_relay: StartRelay, echo: EchoingUpstream) -> RunningRelay:
    return start_relay(
        PROVIDERS_ECHO_BASE_URL=echo.url,
        PROVIDERS_ECHO_API_KEY=KEY,
        PROVIDERS_ECHO_PASSTHROUGH="true",
        UPSTREAM_RETRY_ATTEMPTS="0",
    )


def chat(model: str, **fields: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}


@pytest.mark.parametrize("model", ["gpt-5.5", "box/sandbox-small"])
@pytest.mark.parametrize("stream", [False, True])
def test_of_a_clients_headers_only_the_dialects_own_go_on(
    echoing_relay: RunningRelay, model: str, stream: bool
) -> None:
    echoing_relay.sandbox.requests.clear()
    answer = echoing_relay.post(
        "/v1/chat/completions?key=clients-query-key", chat(model, stream=stream), headers=BAGGAGE
    )
    assert answer.status_code == 200, answer.text
    (arrived,) = echoing_relay.sandbox.requests
    assert arrived.headers.keys() <= SENT_BY_THE_RELAY
    assert arrived.query == {}
    values = " ".join(arrived.headers.values())
    assert "client" not in values
    assert echoing_relay.token not in values


def test_a_call_that_is_relayed_as_it_is_carries_the_relays_key_and_no_clients(
    echoing_relay: RunningRelay, echo: EchoingUpstream
) -> None:
    echo.seen.clear()
    headers = {**BAGGAGE, "X-Kept": "of the vendor's own"}
    path = "/p/echo/chat/completions?key=clients-query-key&alt=sse"
    assert echoing_relay.post(path, chat("talk"), headers=headers).status_code == 200
    (arrived,) = echo.seen
    assert f"Bearer {KEY}" in arrived
    assert "X-Kept" in arrived
    names = {line.partition(":")[0].lower() for line in arrived.splitlines()}
    assert names & {name.lower() for name in BAGGAGE} <= {"user-agent", "connection"}
    assert "clients-query-key" not in arrived
    assert echoing_relay.token not in arrived


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/p/echo/chat/completions"])
def test_an_upstreams_cookies_and_hops_stop_here(echoing_relay: RunningRelay, path: str) -> None:
    answer = echoing_relay.post(path, chat("echo/talk" if path.startswith("/v1") else "talk"))
    assert answer.status_code == 200
    assert {name.lower() for name in answer.headers}.isdisjoint(NEVER_FROM_UPSTREAM)
    assert "upstreams-cookie" not in str(answer.headers)


def test_a_redirect_is_an_error_and_the_key_stays_at_home(echoing_relay: RunningRelay) -> None:
    refused = echoing_relay.refusal("/v1/chat/completions", chat("echo/move"), status=502)
    assert "redirect" in refused["message"]
    passed_on = echoing_relay.post("/p/echo/chat/completions", chat("move"), allow_redirects=False)
    assert passed_on.status_code == 307


def test_an_upstream_cannot_begin_a_header_of_its_own(echoing_relay: RunningRelay) -> None:
    for model in ("carriage", "zero"):
        refused = echoing_relay.refusal("/v1/chat/completions", chat(f"echo/{model}"), status=502)
        assert "malformed header" in refused["message"]


@pytest.mark.parametrize("name", ['a"; x="b.html', "\u00fc\u2028.html", "../../passwd", "a;b"])
def test_a_file_name_stays_a_file_name(echoing_relay: RunningRelay, name: str) -> None:
    form = {"file": (name, b"<script>", "text/html")}
    stored = echoing_relay.request("POST", "/v1/files", files=form).json()
    answer = echoing_relay.get(f"/v1/files/{stored['id']}/content")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''")
    assert not set(disposition.removeprefix("attachment; filename*=")) & set(' ";\\\r\n')
    assert "Set-Cookie" not in answer.headers
