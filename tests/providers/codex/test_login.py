"""A login is bound to the account that signed in, and never silently replaces another one."""

import json
import threading
import time
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import pytest

from airelays_app.errors import UpstreamCut
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.credentials import CredentialFile, Credentials
from airelays_app.providers.codex.login import (
    BrowserLogin,
    DeviceLogin,
    LoginDeclinedError,
    LoginTimeoutError,
    OtherAccountError,
    OtherWorkspaceError,
    store_login,
)
from airelays_app.providers.codex.oauth import (
    DeviceCode,
    IssuerAnswer,
    IssuerRefusedError,
    IssuerTroubleError,
)
from tests.providers.codex.rotating_issuer import token

UPPER = 30.0
ISSUER = Issuer("https://issuer.example")


def answered(status=200, **document):
    return IssuerAnswer(status, json.dumps(document).encode())


def tokens(account="acc-1"):
    return answered(id_token=token(account=account), access_token=token(), refresh_token="r")


class Scripted:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, url, *, form=None, json=None):
        self.asked.append((url, form, json))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def come_back(url: str, **query: str) -> tuple[int, str]:
    """Do what the issuer's redirect makes the browser do."""
    asked = parse_qs(urlsplit(url).query)
    target = urlsplit(asked["redirect_uri"][0])
    text = "&".join(f"{k}={v}" for k, v in {"state": asked["state"][0], **query}.items())
    connection = HTTPConnection("127.0.0.1", target.port, timeout=UPPER)
    try:
        connection.request("GET", f"{target.path}?{text}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def in_background(call) -> list:
    results: list = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    results.append(thread)
    return results


def test_a_browser_login_is_exchanged_stored_and_bound(tmp_path):
    file = CredentialFile(tmp_path / "auth.json")
    post = Scripted(tokens())
    with BrowserLogin(ISSUER, post, workspace_id="acc-1", ports=(0,)) as login:
        asked = parse_qs(urlsplit(login.url).query)
        assert asked["allowed_workspace_id"] == ["acc-1"]
        page = in_background(lambda: come_back(login.url, code="c1"))
        credentials = login.finish(timeout_seconds=UPPER, store=lambda new: store_login(file, new))
        page[0].join(UPPER)
    assert page[1][0] == 200
    assert credentials.bound_account_id == "acc-1"
    assert file.load() == credentials
    assert abs(file.load().last_refresh - time.time()) < UPPER
    form = post.asked[0][1]
    assert form["code"] == "c1"
    assert form["redirect_uri"] == asked["redirect_uri"][0]
    assert form["redirect_uri"].startswith("http://localhost:")


def test_a_login_that_could_not_be_stored_is_not_called_a_success():
    def refuse(new: Credentials) -> None:
        raise OtherAccountError("a", "b")

    with BrowserLogin(ISSUER, Scripted(tokens()), ports=(0,)) as login:
        page = in_background(lambda: come_back(login.url, code="c1"))
        with pytest.raises(OtherAccountError):
            login.finish(timeout_seconds=UPPER, store=refuse)
    page[0].join(UPPER)
    assert page[1][0] == 502


def test_a_login_of_another_workspace_is_not_stored():
    stored: list[Credentials] = []
    with BrowserLogin(ISSUER, Scripted(tokens()), workspace_id="acc-9", ports=(0,)) as login:
        page = in_background(lambda: come_back(login.url, code="c1"))
        with pytest.raises(OtherWorkspaceError):
            login.finish(timeout_seconds=UPPER, store=stored.append)
    page[0].join(UPPER)
    assert page[1][0] == 502
    assert stored == []


def test_a_pasted_address_finishes_a_browser_login():
    with BrowserLogin(ISSUER, Scripted(tokens()), ports=(0,)) as login:
        asked = parse_qs(urlsplit(login.url).query)
        address = f"{asked['redirect_uri'][0]}?code=c&state={asked['state'][0]}"
        login.finish(
            timeout_seconds=UPPER, store=lambda new: None, look=lambda: login.paste(address)
        )


def test_a_declined_login_has_its_reason_and_no_terminal_codes():
    with BrowserLogin(ISSUER, Scripted(), ports=(0,)) as login:
        come_back(login.url, error="access_denied%1b[2J")
        with pytest.raises(LoginDeclinedError, match=r"\(access_denied2J\)"):
            login.finish(timeout_seconds=UPPER, store=lambda new: None)


def test_nobody_comes_back():
    with BrowserLogin(ISSUER, Scripted(), ports=(0,)) as login, pytest.raises(LoginTimeoutError):
        login.finish(timeout_seconds=0.01, store=lambda new: None)


def test_ctrl_c_while_waiting_closes_the_port():
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), BrowserLogin(ISSUER, Scripted(), ports=(0,)) as login:
        login.finish(timeout_seconds=UPPER, store=lambda new: None, look=interrupt)


def test_a_device_login_waits_through_pending_and_passing_answers():
    slept: list[float] = []
    post = Scripted(
        answered(device_auth_id="d", user_code="AB", interval="2"),
        answered(403),
        answered(503),
        UpstreamCut("cut"),
        answered(authorization_code="c", code_verifier="v"),
        tokens("acc-7"),
    )
    login = DeviceLogin(ISSUER, post, sleep=slept.append)
    credentials = login.finish(login.start(), timeout_seconds=UPPER)
    assert credentials.bound_account_id == "acc-7"
    assert slept == [2.0, 2.0, 2.0]
    assert post.asked[-1][1]["redirect_uri"] == "https://issuer.example/deviceauth/callback"
    assert post.asked[-1][1]["code_verifier"] == "v"


def test_a_device_login_ends_at_a_refusal_and_at_its_time_limit():
    device = DeviceCode("d", "u", "p", 0.0)
    login = DeviceLogin(ISSUER, Scripted(answered(400, error="expired")))
    with pytest.raises(IssuerRefusedError):
        login.finish(device, timeout_seconds=UPPER)
    with pytest.raises(LoginTimeoutError):
        DeviceLogin(ISSUER, Scripted()).finish(device, timeout_seconds=0.0)


def test_a_trouble_at_the_start_of_a_device_login_is_said():
    with pytest.raises(IssuerTroubleError):
        DeviceLogin(ISSUER, Scripted(answered(500))).start()


def of(account: str) -> Credentials:
    return Credentials().with_tokens({"id_token": token(account=account)}, at=0.0).bound()


def test_a_second_login_of_the_same_account_takes_its_place(login_file):
    login_file.pending_path.write_text("renewal of the old login")
    store_login(login_file, of("acc-1"))
    assert login_file.load().refresh_token is None
    assert not login_file.pending_path.exists()


def test_a_login_of_another_account_is_kept_unless_told_otherwise(login_file):
    with pytest.raises(OtherAccountError, match=r"owner@example\.org"):
        store_login(login_file, of("acc-2"))
    assert login_file.load().refresh_token == "refresh-0"
    store_login(login_file, of("acc-2"), replace=True)
    assert login_file.load().bound_account_id == "acc-2"


def test_a_torn_file_is_in_nobodys_way(login_file):
    login_file.path.write_text("{")
    store_login(login_file, of("acc-2"))
    assert login_file.load().bound_account_id == "acc-2"
