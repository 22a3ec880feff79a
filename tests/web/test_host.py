"""A relay without a required token answers its own names and pages only.

* Other machines are refused, unless the owner insists, also where another server has let them in.
* ``Host`` is loopback, an IP literal or a configured name: a page that points its own name here
  (DNS rebinding) is refused.
* Every foreign ``Origin`` is refused, ``null`` too; so is what a page of another site sends
  without one. A configured origin is welcome; ``*`` names nobody.
* With a required token none of this applies.
"""

import pytest

from tests.web.admission_kit import TOKEN, HandClock, Relay, ask, error_code, exchange, listening


@pytest.fixture
def relay(tmp_path):
    relay = Relay(
        tmp_path,
        clock=HandClock(),
        require_token=False,
        allowed_hosts=frozenset({"relay.home.arpa", "*.lan"}),
        cors_origins=frozenset({"*", "https://chat.home.arpa", "tauri://localhost"}),
        burst=1000,
    )
    yield relay
    relay.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "127.0.0.1",
        "localhost:8080",
        "LOCALHOST",
        "localhost.",
        "relay.localhost:1",
        "[::1]:8080",
        "[::1]",
        "192.168.1.2:8080",
        "[fd00::2]",
        "relay.home.arpa:8080",
        "Relay.Home.Arpa.",
        "relay.lan",
        "a.b.LAN:8080",
    ],
)
def test_own_names_are_answered(relay, host):
    assert relay.get(Host=host).status_code == 200


@pytest.mark.parametrize("peer", ["192.168.1.7", "2001:db8::1", "::ffff:10.0.0.1"])
def test_another_machine_is_refused_whatever_the_server_listens_on(relay, peer):
    for path in ("/v1/models", "/", "/healthz"):
        refused = relay.get(path, peer=peer)
        assert refused.status_code == 403
        assert refused.json["error"]["code"] == "client_not_on_this_machine"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_and_unix_sockets_are_answered(relay, peer):
    assert relay.get(peer=peer).status_code == 200


def test_an_owner_may_open_the_relay_to_others(tmp_path):
    relay = Relay(tmp_path, clock=HandClock(), require_token=False, open_to_others=True)
    assert relay.get(peer="192.168.1.7").status_code == 200
    relay.close()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "relay.home.arpa.evil.example",
        "127.0.0.1.evil.example",
        "lan",
        ".lan.evil",
        "evillan",
        "127.0.0.1, evil.example",
        "evil.example,127.0.0.1",
        "127.0.0.1@evil.example",
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::1",
        "[::1%25eth0]",
        "localhost:80:80",
        "",
        " ",
    ],
)
def test_other_names_are_refused_on_every_route(relay, host):
    for path in ("/v1/models", "/", "/healthz", "/nothing"):
        refused = relay.get(path, Host=host)
        assert refused.status_code == 403
        assert refused.json["error"]["code"] == "host_not_allowed"


def test_a_missing_or_doubled_host_is_refused(relay):
    with listening(relay.app) as port:
        assert exchange(port, b"GET /v1/models HTTP/1.0\r\n\r\n")[0] == 403
        doubled = b"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n"
        assert exchange(port, doubled)[0] == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:3000",
        "http://127.0.0.1",
        "http://127.0.0.1:8080.evil.example",
        "chrome-extension://abcdef",
        "file://",
        "",
        "http://127.0.0.1:8080, https://evil.example",
    ],
)
def test_every_foreign_origin_is_refused(relay, origin):
    for method in ("GET", "POST", "OPTIONS"):
        refused = relay.get(method=method, Origin=origin, Access_Control_Request_Method="POST")
        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("relay.home.arpa", "https://relay.home.arpa"),
        ("relay.home.arpa:443", "https://relay.home.arpa"),
        ("127.0.0.1:8080", "https://chat.home.arpa"),
        ("127.0.0.1:8080", "tauri://localhost"),
    ],
)
def test_own_pages_and_configured_origins_are_answered(relay, host, origin):
    assert relay.get(Host=host, Origin=origin).status_code == 200


def test_a_page_of_another_site_without_origin_reaches_no_model_route(relay):
    for site in ("cross-site", "same-site"):
        assert relay.get(Sec_Fetch_Site=site).status_code == 403
        assert relay.get("/", Sec_Fetch_Site=site).status_code == 200
    for site in ("same-origin", "none"):
        assert relay.get(Sec_Fetch_Site=site).status_code == 200


def test_with_a_required_token_any_host_and_origin_may_call(tmp_path):
    relay = Relay(tmp_path, clock=HandClock())
    response = relay.get(token=TOKEN, Host="evil.example", Origin="http://evil.example")
    assert response.status_code == 200
    with listening(relay.app) as port:
        status, _, body = ask(port)
        assert (status, error_code(body)) == (401, "invalid_api_key")
    relay.close()
