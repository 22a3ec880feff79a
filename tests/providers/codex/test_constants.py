"""What the login sends by itself is what the settings send when nobody changed them."""

from airelays_app.config import Auth, Upstream
from airelays_app.providers.codex import constants
from airelays_app.providers.codex.constants import Issuer


def test_constants_and_settings_agree():
    upstream = Upstream()
    assert upstream.issuer_base_url == constants.ISSUER_BASE_URL
    assert upstream.client_id == constants.CLIENT_ID
    assert upstream.originator == constants.ORIGINATOR
    assert upstream.client_version == constants.CLIENT_VERSION
    assert Auth().callback_port == constants.REDIRECT_PORTS[0]


def test_an_issuer_with_a_trailing_slash_has_the_same_addresses():
    assert Issuer("https://i.example/").url("/a") == Issuer("https://i.example").url("/a")
