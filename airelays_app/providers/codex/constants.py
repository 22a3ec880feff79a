"""What the ChatGPT subscription login asks of a client, each value named and settable.

The settings of ``[upstream]`` and ``[auth]`` override what an installation may have to change;
their defaults are the same. Source of every value unless it says otherwise: AIRelays 0.22.0
sources and openai/codex (codex-rs/login), seen 2026-11-22. They describe the public client of the
vendor's own command line tool; there is no other client id a private installation could use.
"""

from dataclasses import dataclass
from typing import Final

from airelays_app.version import VERSION

ISSUER_BASE_URL: Final = "https://auth.openai.com"
CLIENT_ID: Final = "app_EMoamEEZ73f0CkXaXp7hrann"
LOGIN_SCOPE: Final = "openid profile email offline_access"
REFRESH_SCOPE: Final = "openid profile email"

REDIRECT_PORTS: Final = (1455, 1457)
"""The only ports the issuer accepts in a redirect address (codex-rs/login/src/server.rs)."""
REDIRECT_HOST: Final = "localhost"
"""The issuer compares the name: an address literal is refused."""
REDIRECT_PATH: Final = "/auth/callback"

ORIGINATOR: Final = "codex_cli_rs"
"""The backend answers 403 to an originator that is not on its list."""
USER_AGENT: Final = f"airelays/{VERSION}"
"""Our own name: nothing in the flow needs another one."""
CLIENT_VERSION: Final = "0.169.0"
"""A lower version makes the backend hide its newer models; this is Codex CLI's of 2026-11-22."""

AUTHORIZE_PATH: Final = "/oauth/authorize"
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - the path of an endpoint
REVOKE_PATH: Final = "/oauth/revoke"
"""POST JSON ``token``, ``token_type_hint``, ``client_id``; the vendor's own logout calls it."""
DEVICE_CODE_PATH: Final = "/api/accounts/deviceauth/usercode"
DEVICE_POLL_PATH: Final = "/api/accounts/deviceauth/token"
DEVICE_PAGE_PATH: Final = "/codex/device"
DEVICE_REDIRECT_PATH: Final = "/deviceauth/callback"

REFRESH_INTERVAL_SECONDS: Final = 8 * 24 * 3600
"""Age at which a token that does not tell its expiry is renewed."""
AUTH_CLAIM: Final = "https://api.openai.com/auth"
PROFILE_CLAIM: Final = "https://api.openai.com/profile"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the owner in, and as which client; the settings of ``[upstream]`` fill it."""

    base_url: str = ISSUER_BASE_URL
    client_id: str = CLIENT_ID
    originator: str = ORIGINATOR

    def url(self, path: str) -> str:
        """Return the address of ``path`` at this issuer."""
        return self.base_url.rstrip("/") + path
