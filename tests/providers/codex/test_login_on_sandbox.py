"""The whole way over real sockets: sign in at the issuer, use the token, renew it, use it up."""

import threading
import time
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import pytest

from airelays_app.errors import UpstreamLoginError
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.courier import MessengerCourier
from airelays_app.providers.codex.credentials import CredentialFile, Credentials
from airelays_app.providers.codex.login import (
    BrowserLogin,
    DeviceLogin,
    LoginDeclinedError,
    store_login,
)
from airelays_app.providers.codex.oauth import (
    DeviceLoginDisabledError,
    IssuerRefusedError,
    revoke,
)
from airelays_app.providers.codex.session import CodexSession
from airelays_app.providers.codex.transport import issuer_poster
from airelays_app.sandbox import Sandbox
from airelays_app.upstream.client import ClientOptions

UPPER = 30.0


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def file(tmp_path):
    return CredentialFile(tmp_path / "auth.json")


@pytest.fixture
def post():
    return issuer_poster(ClientOptions())


def browse(url: str) -> int:
    """Open ``url`` as a browser would, following redirects; return the last status."""
    while True:
        address = urlsplit(url)
        host = "127.0.0.1" if address.hostname == "localhost" else address.hostname
        connection = HTTPConnection(host, address.port, timeout=UPPER)
        try:
            connection.request("GET", f"{address.path}?{address.query}")
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (302, 303, 307):
                return answer.status
            url = answer.headers["location"]
        finally:
            connection.close()


def browse_later(url: str, statuses: list[int]) -> threading.Thread:
    thread = threading.Thread(target=lambda: statuses.append(browse(url)))
    thread.start()
    return thread


def session_for(file, sandbox) -> CodexSession:
    courier = MessengerCourier(
        Issuer(sandbox.issuer_url), ClientOptions(), user_agent="test", connect_timeout=UPPER
    )
    return CodexSession(file, courier=courier)


def test_a_browser_login_yields_a_session_that_renews_itself(sandbox, file, post):
    statuses: list[int] = []
    with BrowserLogin(Issuer(sandbox.issuer_url), post, ports=(0,)) as login:
        browser = browse_later(login.url, statuses)
        stored = login.finish(timeout_seconds=UPPER, store=lambda new: store_login(file, new))
    browser.join(UPPER)
    assert statuses == [200]
    session = session_for(file, sandbox)
    assert session.status()["email"] == "owner@example.org"
    assert session.status()["ready_for_requests"] is True
    first = session.access()
    assert (first.token, first.account_id) == (stored.access_token, stored.bound_account_id)
    sandbox.void_access_tokens()
    assert session.renew(first.token).token != first.token
    assert session.access().account_id == first.account_id


def test_a_workspace_is_asked_for_by_its_id(sandbox, file, post):
    with BrowserLogin(
        Issuer(sandbox.issuer_url), post, workspace_id="workspace-7", ports=(0,)
    ) as login:
        browser = browse_later(login.url, [])
        stored = login.finish(timeout_seconds=UPPER, store=lambda new: store_login(file, new))
    browser.join(UPPER)
    assert stored.bound_account_id == "workspace-7"


def test_a_forged_state_is_waited_out(sandbox, post):
    sandbox.script("wrong_state", path="/oauth/authorize")
    statuses: list[int] = []
    with BrowserLogin(Issuer(sandbox.issuer_url), post, ports=(0,)) as login:
        assert browse(login.url) == 400
        browser = browse_later(login.url, statuses)
        login.finish(timeout_seconds=UPPER, store=lambda new: None)
    browser.join(UPPER)
    assert statuses == [200]


def test_a_denied_login_ends_with_its_reason(sandbox, post):
    sandbox.script("access_denied", path="/oauth/authorize")
    with BrowserLogin(Issuer(sandbox.issuer_url), post, ports=(0,)) as login:
        assert browse(login.url) == 400
        with pytest.raises(LoginDeclinedError, match="access_denied"):
            login.finish(timeout_seconds=UPPER, store=lambda new: None)


def test_a_code_works_once(sandbox, post):
    with BrowserLogin(Issuer(sandbox.issuer_url), post, ports=(0,)) as login:
        browser = browse_later(login.url, [])
        login.finish(timeout_seconds=UPPER, store=lambda new: None)
        with pytest.raises(IssuerRefusedError):
            login.finish(timeout_seconds=UPPER, store=lambda new: None)
    browser.join(UPPER)


def test_a_device_login_waits_for_its_approval(sandbox, file, post):
    sandbox.settings.device_interval_seconds = 1
    login = DeviceLogin(
        Issuer(sandbox.issuer_url), post, sleep=lambda _: sandbox.approve_device(device.user_code)
    )
    device = login.start()
    assert device.page == f"{sandbox.issuer_url}/codex/device"
    store_login(file, login.finish(device, timeout_seconds=UPPER))
    assert session_for(file, sandbox).access().account_id


def test_a_denied_or_disabled_device_login_ends(sandbox, post):
    login = DeviceLogin(
        Issuer(sandbox.issuer_url), post, sleep=lambda _: sandbox.deny_device(device.user_code)
    )
    device = login.start()
    with pytest.raises(IssuerRefusedError):
        login.finish(device, timeout_seconds=UPPER)
    sandbox.script("device_not_enabled", path="/usercode")
    with pytest.raises(DeviceLoginDisabledError):
        login.start()


def test_sessions_of_two_processes_and_the_reuse_detection(sandbox, file, post):
    store_of(file, sandbox)
    sandbox.void_access_tokens()
    one, two = session_for(file, sandbox), session_for(file, sandbox)
    dead = one.access().token
    assert one.renew(dead).token == two.renew(dead).token
    assert len(sandbox.requests.to("/oauth/token")) == 1


def test_a_stolen_refresh_token_ends_the_login_honestly(sandbox, file, post):
    login = store_of(file, sandbox)
    thief = session_for(file, sandbox)
    body = {"client_id": Issuer().client_id, "grant_type": "refresh_token"}
    used = post(
        sandbox.issuer_url + "/oauth/token", json={**body, "refresh_token": login["refresh_token"]}
    )
    assert used.status == 200
    with pytest.raises(UpstreamLoginError) as ended:
        thief.renew(login["access_token"])
    assert ended.value.problem == "refresh_failed"
    assert "airelays login" in ended.value.message


def test_an_issuer_without_revocation_is_no_error(sandbox, post):
    assert revoke(Issuer(sandbox.issuer_url), post, "rt_x") is False


def store_of(file: CredentialFile, sandbox: Sandbox) -> dict[str, str]:
    login = sandbox.login()
    tokens = {name: login[name] for name in ("id_token", "access_token", "refresh_token")}
    store_login(file, Credentials().with_tokens(tokens, at=time.time()).bound())
    return login


def test_the_address_has_what_the_issuer_demands(sandbox, post):
    with BrowserLogin(Issuer(sandbox.issuer_url), post, ports=(0,)) as login:
        asked = parse_qs(urlsplit(login.url).query)
    assert asked["redirect_uri"][0].startswith("http://localhost:")
    assert asked["originator"] == ["codex_cli_rs"]
