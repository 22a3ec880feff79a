"""``[security]``: who may call, from where, and how often."""

from dataclasses import dataclass, field
from pathlib import Path

from airelays_app.config import checks
from airelays_app.config.setting import row


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """The relay token, limits per client address, proxies, host names and web origins."""

    require_bearer_auth: bool = field(
        default=True,
        metadata=row(
            "REQUIRE_BEARER_AUTH",
            "Whether clients must send a relay token. Without it anybody who reaches the port uses "
            "your subscription, so turn it off on loopback only.",
            flag="--no-auth",
            flag_sets=False,
        ),
    )
    allow_open_relay: bool = field(
        default=False,
        metadata=row(
            "ALLOW_OPEN_RELAY",
            "Confirms that a relay without token may listen beyond loopback. Without it such a "
            "start is refused.",
            flag="--i-understand-open-relay",
            flag_sets=True,
        ),
    )
    bearer_token: str = field(
        default="",
        repr=False,
        metadata=row(
            "BEARER_TOKEN",
            "A relay token given by the environment, at least 16 characters. It is accepted "
            "instead of the one in the token file; use it where files are awkward.",
            check=checks.token,
            secret=True,
            in_file=False,
        ),
    )
    bearer_token_file: Path = field(
        default=Path("<data_dir>/relay-token"),
        metadata=row(
            "BEARER_TOKEN_FILE",
            "The file that holds the owner's relay token. Change it to share one managed by "
            "another tool.",
            flag="--bearer-token-file",
        ),
    )
    auto_generate_bearer_token: bool = field(
        default=False,
        metadata=row(
            "AUTO_GENERATE_BEARER_TOKEN",
            "Make a relay token at start when there is none, instead of refusing to start. Useful "
            "in a container.",
        ),
    )
    rate_limit_per_minute: int = field(
        default=120,
        metadata=row(
            "RATE_LIMIT_PER_MINUTE",
            "Requests a minute that one client address may send in the long run. Raise it for "
            "busy agents.",
            minimum=1,
        ),
    )
    rate_limit_burst: int = field(
        default=40,
        metadata=row(
            "RATE_LIMIT_BURST",
            "Requests that one client address may send at once after a pause.",
            minimum=1,
        ),
    )
    concurrent_requests_per_ip: int = field(
        default=50,
        metadata=row(
            "CONCURRENT_REQUESTS_PER_IP",
            "Requests of one client address that may run at once; a stream counts until its last "
            "byte. Raise it when many agents share one machine.",
            minimum=1,
        ),
    )
    failed_auth_window_seconds: int = field(
        default=300,
        metadata=row(
            "FAILED_AUTH_WINDOW_SECONDS",
            "The time within which wrong tokens of one address are counted together.",
            minimum=1,
        ),
    )
    failed_auth_max_attempts: int = field(
        default=8,
        metadata=row(
            "FAILED_AUTH_MAX_ATTEMPTS",
            "Wrong tokens within that time after which the address is blocked. Raise it when a "
            "client with an old token keeps trying.",
            minimum=1,
        ),
    )
    failed_auth_block_seconds: int = field(
        default=900,
        metadata=row(
            "FAILED_AUTH_BLOCK_SECONDS",
            "How long an address stays blocked. airelays unblock ends it at once.",
            minimum=1,
        ),
    )
    known_client_seconds: int = field(
        default=86400,
        metadata=row(
            "KNOWN_CLIENT_SECONDS",
            "How long a token that worked from an address keeps working from there while the "
            "address is blocked, so that nobody can lock your clients out.",
            minimum=0,
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "TRUSTED_PROXIES",
            "Addresses or networks of reverse proxies whose X-Forwarded-For is believed; unix is "
            "one on a UNIX socket. Set it when one stands in front, or all clients count as one.",
            check=checks.peers,
        ),
    )
    allowed_hosts: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "ALLOWED_HOSTS",
            "Further host names under which a relay without token may be called; *.example is "
            "every name below example. Loopback names and plain addresses always may; others are "
            "refused against DNS rebinding.",
            check=checks.host_names,
        ),
    )
    cors_origins: tuple[str, ...] = field(
        default=("*",),
        metadata=row(
            "CORS_ORIGINS",
            "Web origins whose pages may call the relay with a token; * is any. Narrow it when you "
            "know which web clients you use. A relay without token accepts those named here only.",
            check=checks.origins,
        ),
    )
