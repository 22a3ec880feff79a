"""The relay tokens that the settings point to, and how clients use them."""

from typing import Any

from airelays_app.cli.addresses import base_url
from airelays_app.cli.page import Page
from airelays_app.config import Settings

TOKEN_PLACEHOLDER = "YOUR_AIRELAYS_TOKEN"  # noqa: S105 - what stands where a token belongs
_MAKE = "airelays init"
_SHOW = "airelays token show"
_ROTATE = "airelays token rotate"


def client_setup(
    settings: Settings, *, token: str | None = None, of_device: bool = False
) -> dict[str, Any]:
    """Return what a client needs to know; ``token`` is included only if given.

    The token ``of_device`` is in no file and cannot be shown again.
    """
    base = base_url(settings)
    required = settings.security.require_bearer_auth
    setup: dict[str, Any] = {
        "base_url": base,
        "models_url": f"{base}/models",
        "requires_bearer_auth": required,
    }
    if not required:
        note = "No token is needed. Give clients that insist on an API key any text."
        return setup | {"api_key_note": note}
    setup["authorization_header"] = f"Authorization: Bearer {token or TOKEN_PLACEHOLDER}"
    if not of_device:
        setup |= {
            "token_file": str(settings.security.bearer_token_file),
            "reveal_token_command": _SHOW,
            "rotate_token_command": _ROTATE,
        }
    return setup | ({"relay_token": token} if token else {})


def add_client_setup(page: Page, setup: dict[str, Any], *, has_token: bool = True) -> None:
    """Add the section Client Setup to a page."""
    page.section("Client Setup")
    page.field("Base URL", setup["base_url"])
    page.field("Models", setup["models_url"])
    if not setup["requires_bearer_auth"]:
        page.field("API key", setup["api_key_note"])
        return
    if not has_token:
        page.field("API key", f"none yet: {_MAKE}")
        return
    page.field("API key", setup.get("relay_token") or f"see: {_SHOW}")
    page.field("Header", setup["authorization_header"])
    if "token_file" in setup:
        page.field("Token file", setup["token_file"])
