"""The issuer checks every parameter of a login, gives each code away once, rotates refresh tokens,
and kills a login whose refresh token is used twice.
"""

import base64
import hashlib
import time
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import requests

CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
VERIFIER = "v" * 43
REDIRECT = "http://localhost:1455/auth/callback"


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize(sandbox, **changes):
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "openid profile email offline_access",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "state": "s" * 43,
        "originator": "codex_cli_rs",
        **changes,
    }
    url = f"{sandbox.issuer_url}/oauth/authorize"
    return requests.get(url, params=query, allow_redirects=False, timeout=30)


def returned(answer):
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def exchange(sandbox, code, **changes):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": CLIENT,
        "code_verifier": VERIFIER,
        **changes,
    }
    return requests.post(f"{sandbox.issuer_url}/oauth/token", data=form, timeout=30)


def refresh(sandbox, token, **changes):
    body = {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": token, **changes}
    return requests.post(f"{sandbox.issuer_url}/oauth/token", json=body, timeout=30)


def claims(token):
    payload = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def device(sandbox, path, body):
    url = f"{sandbox.issuer_url}/api/accounts/deviceauth/{path}"
    return requests.post(url, json=body, timeout=30)


def test_the_browser_flow_ends_in_usable_tokens(sandbox):
    sandbox.settings.email, sandbox.settings.plan = "me@example.org", "pro"
    sent = returned(authorize(sandbox))
    assert sent["state"] == "s" * 43
    tokens = exchange(sandbox, sent["code"]).json()
    identity = claims(tokens["id_token"])
    assert identity["email"] == "me@example.org"
    account = identity["https://api.openai.com/auth"]
    assert account["chatgpt_plan_type"] == "pro"
    assert 0 < claims(tokens["access_token"])["exp"] - time.time() <= 10 * 24 * 3600
    headers = {
        "Authorization": f"Bearer {tokens['access_token']}",
        "ChatGPT-Account-ID": account["chatgpt_account_id"],
        "originator": "codex_cli_rs",
    }
    usage = requests.get(
        f"{sandbox.issuer_url}/backend-api/wham/usage", headers=headers, timeout=30
    )
    assert usage.json()["email"] == "me@example.org"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_type", "token"),
        ("client_id", "app_other"),
        ("redirect_uri", "http://evil.example/auth/callback"),
        ("redirect_uri", "http://localhost:1455/elsewhere"),
        ("scope", "openid"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("id_token_add_organizations", None),
        ("codex_cli_simplified_flow", None),
        ("state", None),
        ("originator", None),
    ],
)
def test_a_wrong_login_link_is_not_followed(sandbox, name, value):
    answer = authorize(sandbox, **{name: value})
    assert answer.status_code == 400
    assert name in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"redirect_uri": "http://localhost:1457/auth/callback"},
        {"code": "ac_guess"},
    ],
)
def test_a_code_is_worth_nothing_with_wrong_companions(sandbox, changes):
    code = returned(authorize(sandbox))["code"]
    answer = exchange(sandbox, **{"code": code, **changes})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_grant")


def test_a_code_works_once(sandbox):
    code = returned(authorize(sandbox))["code"]
    assert exchange(sandbox, code).status_code == 200
    assert exchange(sandbox, code).status_code == 400


def test_a_workspace_is_an_account_of_its_own(sandbox):
    code = returned(authorize(sandbox, allowed_workspace_id="ws-1"))["code"]
    identity = claims(exchange(sandbox, code).json()["id_token"])
    assert identity["https://api.openai.com/auth"]["chatgpt_account_id"] == "ws-1"


def test_the_owner_may_say_no(sandbox):
    sandbox.script("access_denied")
    sent = returned(authorize(sandbox))
    assert sent["error"] == "access_denied"
    assert "code" not in sent
    assert "code" in returned(authorize(sandbox))


def test_a_forged_state_can_be_sent(sandbox):
    sandbox.script("wrong_state")
    assert returned(authorize(sandbox))["state"] == "forged"


def test_refresh_takes_json_and_form(sandbox):
    first = refresh(sandbox, sandbox.login()["refresh_token"]).json()
    form = {
        "client_id": CLIENT,
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
    }
    answer = requests.post(f"{sandbox.issuer_url}/oauth/token", data=form, timeout=30)
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]


def test_a_refresh_token_used_twice_kills_the_login(sandbox):
    stolen = sandbox.login()["refresh_token"]
    successor = refresh(sandbox, stolen).json()["refresh_token"]
    again = refresh(sandbox, stolen)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "refresh_token_reused")
    assert refresh(sandbox, successor).json()["error"]["code"] == "refresh_token_invalidated"


def test_other_logins_survive_a_reuse(sandbox):
    mine, other = sandbox.login(), sandbox.login()
    refresh(sandbox, mine["refresh_token"])
    refresh(sandbox, mine["refresh_token"])
    assert refresh(sandbox, other["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "name", ["refresh_token_expired", "refresh_token_invalidated", "refresh_token_reused"]
)
def test_refusals_can_be_scripted(sandbox, name):
    token = sandbox.login()["refresh_token"]
    sandbox.script(name)
    assert refresh(sandbox, token).json()["error"]["code"] == name
    assert refresh(sandbox, token).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"), [({"client_id": "other"}, 401), ({"grant_type": "password"}, 400)]
)
def test_other_clients_and_grants_are_refused(sandbox, changes, status):
    assert refresh(sandbox, sandbox.login()["refresh_token"], **changes).status_code == status


def test_the_device_flow_waits_for_approval(sandbox):
    begun = device(sandbox, "usercode", {"client_id": CLIENT}).json()
    poll = {"device_auth_id": begun["device_auth_id"], "user_code": begun["user_code"]}
    assert device(sandbox, "token", poll).status_code == 403
    sandbox.approve_device(begun["user_code"])
    granted = device(sandbox, "token", poll).json()
    tokens = exchange(
        sandbox,
        granted["authorization_code"],
        code_verifier=granted["code_verifier"],
        redirect_uri=f"{sandbox.issuer_url}/deviceauth/callback",
    ).json()
    assert claims(tokens["id_token"])["email"] == sandbox.settings.email
    assert device(sandbox, "token", poll).status_code == 400


def test_a_device_can_be_approved_after_some_polls_or_denied(sandbox):
    sandbox.settings.auto_approve_polls = 2
    begun = device(sandbox, "usercode", {"client_id": CLIENT}).json()
    statuses = [device(sandbox, "token", begun).status_code for _ in range(2)]
    assert statuses == [403, 200]
    begun = device(sandbox, "usercode", {"client_id": CLIENT}).json()
    sandbox.deny_device(begun["user_code"])
    denied = device(sandbox, "token", begun)
    assert (denied.status_code, denied.json()["error"]["code"]) == (400, "access_denied")


def test_a_device_can_be_approved_on_the_page(sandbox):
    begun = device(sandbox, "usercode", {"client_id": CLIENT}).json()
    page = f"{sandbox.issuer_url}/codex/device"
    assert "user_code" in requests.get(page, timeout=30).text
    assert requests.post(page, data={"user_code": "NONE"}, timeout=30).status_code == 404
    assert requests.post(page, data={"user_code": begun["user_code"]}, timeout=30).ok
    assert device(sandbox, "token", begun).status_code == 200


def test_the_device_flow_may_be_off(sandbox):
    sandbox.script("device_not_enabled")
    assert device(sandbox, "usercode", {"client_id": CLIENT}).status_code == 404


def test_an_address_keeps_its_account(sandbox):
    one, two, other = sandbox.login(), sandbox.login(), sandbox.login(email="b@example.org")
    assert one["account_id"] == two["account_id"] != other["account_id"]
