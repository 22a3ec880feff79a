"""The issuer's protocol on the wire, and which of its answers are final."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.oauth import (
    DeviceCode,
    DeviceLoginDisabledError,
    IssuerAnswer,
    IssuerRefusedError,
    IssuerTroubleError,
    Pkce,
    authorize_url,
    exchange_code,
    fresh_pkce,
    fresh_state,
    poll_device_login,
    read_tokens,
    renewal_request,
    revoke,
    start_device_login,
)

ISSUER = Issuer(base_url="https://issuer.example/", client_id="client")


class Scripted:
    """A poster that remembers what it was asked and answers from a list."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, url, *, form=None, json=None):
        self.asked.append((url, form, json))
        return self.answers.pop(0)


def answered(status=200, **document):
    return IssuerAnswer(status, json.dumps(document).encode())


def test_pkce_is_s256_of_43_characters():
    pkce = fresh_pkce()
    digest = hashlib.sha256(pkce.verifier.encode()).digest()
    assert pkce.challenge == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len(pkce.verifier) == len(pkce.challenge) == len(fresh_state()) == 43
    assert fresh_pkce() != pkce


def test_authorize_url_has_every_parameter_percent_encoded():
    url = authorize_url(
        ISSUER,
        redirect_uri="http://localhost:1455/auth/callback",
        pkce=Pkce("v", "c"),
        state="s",
        workspace_id="w",
    )
    assert url.startswith("https://issuer.example/oauth/authorize?")
    assert "scope=openid%20profile%20email%20offline_access" in url
    assert {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": "http://localhost:1455/auth/callback",
        "scope": "openid profile email offline_access",
        "code_challenge": "c",
        "code_challenge_method": "S256",
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "state": "s",
        "originator": "codex_cli_rs",
        "allowed_workspace_id": "w",
    }


def test_a_code_is_exchanged_with_a_form():
    post = Scripted(
        answered(id_token="i", access_token="a", refresh_token="r", token_type="Bearer")
    )
    tokens = exchange_code(ISSUER, post, code="c", redirect_uri="u", verifier="v")
    assert tokens == {"id_token": "i", "access_token": "a", "refresh_token": "r"}
    assert post.asked == [
        (
            "https://issuer.example/oauth/token",
            {
                "grant_type": "authorization_code",
                "code": "c",
                "redirect_uri": "u",
                "client_id": "client",
                "code_verifier": "v",
            },
            None,
        )
    ]


def test_an_exchange_without_all_three_tokens_is_no_login():
    with pytest.raises(IssuerRefusedError):
        exchange_code(
            ISSUER, Scripted(answered(access_token="a")), code="c", redirect_uri="u", verifier="v"
        )


def test_a_renewal_is_json():
    url, body = renewal_request(ISSUER, "old")
    assert url.endswith("/oauth/token")
    assert body == {
        "client_id": "client",
        "grant_type": "refresh_token",
        "refresh_token": "old",
        "scope": "openid profile email",
    }


@pytest.mark.parametrize(
    "answer",
    [
        answered(400, error="invalid_grant"),
        answered(401, error={"code": "refresh_token_expired"}),
        answered(401, code="refresh_token_invalidated"),
        answered(403, error={"code": "refresh_token_reused"}),
        answered(400, error="something else"),
        answered(401),
    ],
)
def test_a_refusal_is_final(answer):
    with pytest.raises(IssuerRefusedError):
        read_tokens(answer)


@pytest.mark.parametrize(
    "answer",
    [
        answered(429, error="rate_limited"),
        answered(500, error="server_error"),
        answered(503),
        answered(403, error="forbidden"),
        IssuerAnswer(401, b"<html>log in to the hotel</html>"),
        IssuerAnswer(400, b""),
        IssuerAnswer(200, b"<html>"),
        answered(200),
        answered(200, access_token=7),
        answered(302, access_token="a"),
    ],
)
def test_anything_else_is_passing(answer):
    with pytest.raises(IssuerTroubleError):
        read_tokens(answer)


def test_the_issuer_cannot_put_text_into_our_messages():
    with pytest.raises(IssuerRefusedError) as refusal:
        read_tokens(answered(400, error="<script>\x1b[2J" + "x" * 500))
    assert refusal.value.reason == "refused"


@pytest.mark.parametrize("key", ["user_code", "usercode"])
@pytest.mark.parametrize(
    ("given", "interval"), [("7", 7.0), (3, 3.0), (None, 5.0), ("x", 5.0), (0, 5.0), (9e9, 5.0)]
)
def test_a_device_code_in_both_spellings(key, given, interval):
    post = Scripted(answered(**{"device_auth_id": "d", key: "AB-12", "interval": given}))
    assert start_device_login(ISSUER, post) == DeviceCode(
        "d", "AB-12", "https://issuer.example/codex/device", interval
    )


def test_a_device_login_that_is_not_enabled_says_so():
    with pytest.raises(DeviceLoginDisabledError, match="browser"):
        start_device_login(ISSUER, Scripted(IssuerAnswer(404, b"")))


def test_polling_is_pending_on_403_and_404_only():
    device = DeviceCode("d", "u", "p", 5.0)
    post = Scripted(answered(403), IssuerAnswer(404, b""), answered(410), IssuerAnswer(500, b"{}"))
    assert poll_device_login(ISSUER, post, device) is None
    assert poll_device_login(ISSUER, post, device) is None
    with pytest.raises(IssuerRefusedError):
        poll_device_login(ISSUER, post, device)
    with pytest.raises(IssuerTroubleError):
        poll_device_login(ISSUER, post, device)


def test_an_approved_device_yields_a_code_with_its_verifier():
    post = Scripted(answered(authorization_code="c", code_verifier="v"))
    grant = poll_device_login(ISSUER, post, DeviceCode("d", "u", "p", 5.0))
    assert (grant.code, grant.verifier) == ("c", "v")
    assert post.asked[0][2] == {"device_auth_id": "d", "user_code": "u"}


def test_revoking_says_whether_the_issuer_agreed():
    post = Scripted(IssuerAnswer(200, b""), IssuerAnswer(404, b""))
    assert revoke(ISSUER, post, "r") is True
    assert revoke(ISSUER, post, "r") is False
    assert post.asked[0] == (
        "https://issuer.example/oauth/revoke",
        None,
        {"token": "r", "token_type_hint": "refresh_token", "client_id": "client"},
    )
