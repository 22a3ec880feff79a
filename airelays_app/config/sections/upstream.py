"""``[auth]`` and ``[upstream]``: the subscription login and the calls it is used for.

The base URLs, the client id and the originator are those of the vendor's own command line client
(its public source and the 2026-06-21 release of the reference relay; seen 2026-11-22).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from airelays_app.config import checks
from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How the owner logs in at the subscription, and where the login is kept."""

    storage: Literal["auto", "file", "keyring"] = field(
        default="auto",
        metadata=row(
            "AUTH_STORAGE",
            "Where a login is looked for. It is kept in a private file; auto and keyring also take "
            "over what an early version left in the desktop keyring (with the keyring extra), "
            "file never looks there.",
            flag="--auth-storage",
        ),
    )
    browser_open: bool = field(
        default=False,
        metadata=row(
            "BROWSER_OPEN",
            "Open a browser by itself on login. Off, the address is printed only.",
        ),
    )
    login_timeout_seconds: int = field(
        default=900,
        metadata=row(
            "LOGIN_TIMEOUT_SECONDS",
            "How long a login waits for you to finish it in the browser.",
            minimum=1,
            maximum=86400,
        ),
    )
    callback_port: int = field(
        default=1455,
        metadata=row(
            "LOGIN_CALLBACK_PORT",
            "The local port to which the browser returns after a login. The issuer accepts 1455, "
            "and 1457 which is tried when that is taken; change it only with the client id.",
            minimum=0,
            maximum=65535,
        ),
    )
    refresh_margin_seconds: int = field(
        default=300,
        metadata=row(
            "REFRESH_MARGIN_SECONDS",
            "How long before its expiry an access token is renewed. Raise it when this machine's "
            "clock is unreliable.",
            minimum=0,
            maximum=86400,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The subscription backend and how every upstream is called. Times are in seconds."""

    base_url: str = field(
        default="https://chatgpt.com/backend-api/codex",
        metadata=row(
            "UPSTREAM_BASE_URL",
            "The base URL of the subscription backend. Change it only for tests.",
            check=checks.url,
        ),
    )
    issuer_base_url: str = field(
        default="https://auth.openai.com",
        metadata=row(
            "ISSUER_BASE_URL",
            "The base URL of the login service. Change it only for tests.",
            check=checks.url,
        ),
    )
    client_id: str = field(
        default="app_EMoamEEZ73f0CkXaXp7hrann",
        metadata=row(
            "CLIENT_ID",
            "The OAuth client id sent on login: the public one of the vendor's command line "
            "client. Change it when the vendor does.",
            check=checks.not_blank,
        ),
    )
    client_version: str = field(
        default="0.169.0",
        metadata=row(
            "CLIENT_VERSION",
            "The client version sent when models are listed. The backend hides models from "
            "versions that are too old, so raise it when a new model is missing.",
            check=checks.not_blank,
            superseded=("0.124.0", "auto"),
        ),
    )
    originator: str = field(
        default="codex_cli_rs",
        metadata=row(
            "UPSTREAM_ORIGINATOR",
            "The originator header of calls to the backend, which refuses names it does not know. "
            "Change it when it refuses this one.",
            check=checks.header_text,
        ),
    )
    user_agent: str = field(
        default="",
        metadata=row(
            "UPSTREAM_USER_AGENT",
            "The User-Agent of upstream calls. Empty sends AIRelays and its version; set it when "
            "an upstream insists on something else.",
            check=checks.header_text,
        ),
    )
    request_timeout_seconds: float = field(
        default=600.0,
        metadata=row(
            "REQUEST_TIMEOUT_SECONDS",
            "How long an upstream may stay silent. Long reasoning is silent for minutes; lower it "
            "when you would rather see an error sooner.",
            minimum=0.1,
            maximum=86400,
        ),
    )
    connect_timeout_seconds: float = field(
        default=10.0,
        metadata=row(
            "UPSTREAM_CONNECT_TIMEOUT_SECONDS",
            "How long connecting to an upstream may take.",
            minimum=0.1,
            maximum=600,
        ),
    )
    retry_attempts: int = field(
        default=2,
        metadata=row(
            "UPSTREAM_RETRY_ATTEMPTS",
            "How often a call that failed before its first byte is tried again; 0 never.",
            minimum=0,
            maximum=10,
        ),
    )
    retry_wait_seconds: float = field(
        default=20.0,
        metadata=row(
            "UPSTREAM_RETRY_WAIT_SECONDS",
            "The most that all pauses between those attempts may add up to. A limit that lasts "
            "longer is reported at once.",
            minimum=0,
            maximum=600,
        ),
    )
    max_reply_bytes: int = field(
        default=64 * 1024 * 1024,
        metadata=row(
            "UPSTREAM_MAX_REPLY_BYTES",
            "The largest reply that is collected in memory for a client that does not stream. An "
            "upstream's stream counts as it comes.",
            minimum=1024,
        ),
    )
    usage_cache_seconds: int = field(
        default=60,
        metadata=row(
            "UPSTREAM_USAGE_CACHE_SECONDS",
            "How long the subscription's usage is remembered before it is asked for again.",
            minimum=0,
            maximum=86400,
        ),
    )
    https_proxy: str = field(
        default="",
        repr=False,
        metadata=row(
            "UPSTREAM_HTTPS_PROXY",
            "The proxy for https:// upstreams. Empty in the file means none, whatever the "
            "environment says.",
            check=checks.proxy,
            ambient=("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
        ),
    )
    http_proxy: str = field(
        default="",
        repr=False,
        metadata=row(
            "UPSTREAM_HTTP_PROXY",
            "The proxy for http:// upstreams. Loopback is never sent through a proxy.",
            check=checks.proxy,
            ambient=("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"),
        ),
    )
    no_proxy: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "UPSTREAM_NO_PROXY",
            "Hosts, domains, addresses or networks that are reached without the proxy; * is all.",
            ambient=("no_proxy", "NO_PROXY"),
        ),
    )
    ca_bundle: Path | None = field(
        default=None,
        metadata=row(
            "UPSTREAM_CA_BUNDLE",
            "A PEM file, or a folder of hashed certificates, of authorities to trust for upstream "
            "calls besides the public ones. Set it behind a proxy that inspects TLS.",
            ambient=("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"),
        ),
    )
