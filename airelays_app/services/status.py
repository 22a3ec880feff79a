"""How the relay is doing: for health checks, status pages and the command line.

Nothing here asks an upstream or waits for one, and nothing shows a secret. Everything works while
storage is down; what cannot be known then is ``None``.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from airelays_app.config import Settings
from airelays_app.dialects.base import Json
from airelays_app.errors import ConfigError, Unavailable
from airelays_app.providers.base import Provider
from airelays_app.services.steps import INIT_STEP, PROBLEM_STEPS
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.tokens import DeviceTokens, fingerprint
from airelays_app.version import VERSION

APP_NAME = "AIRelays"

_PROBE_SECONDS = 1.0

_AUTH_FIELDS = (
    "authenticated",
    "credentials_present",
    "account_bound",
    "ready_for_requests",
    "problem",
    "renewable",
    "email",
    "plan_type",
    "account_id",
    "bound_account_id",
    "last_refresh",
    "expires_at",
)
_MINOR_PROBLEMS = frozenset({"missing", "not_installed"})
"""Problems of a provider that the owner may simply not use: no matter while another is ready."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which of the relay's own storages answer."""

    storage: bool
    limiter: bool

    @property
    def status(self) -> str:
        """``ready``; ``degraded`` when only limits are not shared; ``not_ready``."""
        if not self.storage:
            return "not_ready"
        return "ready" if self.limiter else "degraded"

    def shown(self) -> Json:
        """Return the body of the readiness route."""
        components = {"storage": self.storage, "limiter": self.limiter}
        return {
            "status": self.status,
            "components": {name: "ok" if up else "down" for name, up in components.items()},
        }


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether requests will be answered, and what the owner should do next."""

    ready: bool
    steps: tuple[str, ...]


class RelayStatus:
    """The status of this relay. ``limiter_answers`` tells whether shared limits can be counted.

    ``login_file`` is where the subscription's login is kept.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        providers: Mapping[str, Provider],
        tokens: DeviceTokens,
        database: Database,
        files: FileStore,
        conversations: ConversationStore,
        limiter_answers: Callable[[], bool],
        login_file: Path | None = None,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._tokens = tokens
        self._database = database
        self._files = files
        self._conversations = conversations
        self._limiter_answers = limiter_answers
        self._login_file = login_file
        self._probe = _Remembered(self._probe_storage)

    def readiness(self) -> Readiness:
        """Ask the storages; waits as long as one transaction may."""
        return Readiness(storage=self._probe(), limiter=self._limiter_answers())

    def has_token(self) -> bool:
        """Tell whether a client can be let in: there is a relay token, or none is needed."""
        return not self._settings.security.require_bearer_auth or self._tokens.any_exists()

    def outlook(self) -> Outlook:
        """Return what a page says that everybody may see: no path, no name, no account."""
        providers = provider_states(self._providers)
        has_token = self.has_token()
        steps = next_steps(providers, has_token=has_token)
        if not self._probe():
            return Outlook(
                ready=False, steps=("Find out why storage does not answer: airelays doctor",)
            )
        return Outlook(ready=has_token and _any_ready(providers), steps=tuple(steps))

    def report(self, *, client_base_url: str) -> Json:
        """Return ``relay.status`` without what only the web layer knows: limits and routes."""
        states = provider_states(self._providers)
        auth = auth_summary(states, settings=self._settings, login_file=self._login_file)
        storage = self._probe()
        return {
            "object": "relay.status",
            "app_name": APP_NAME,
            "version": VERSION,
            "ready": {
                "upstream_auth": bool(auth["ready_for_requests"]),
                "relay_token": self.has_token(),
                "any_provider": _any_ready(states),
                "storage": storage,
                "providers": {name: state["ready"] for name, state in states.items()},
            },
            "auth": auth,
            "providers": states_shown(states),
            "relay": relay_summary(self._settings, self._tokens, client_base_url=client_base_url),
            "storage": self._counters() if storage else dict.fromkeys(_COUNTERS),
            "next_steps": next_steps(states, has_token=self.has_token()),
        }

    def _probe_storage(self) -> bool:
        """A transaction that changes nothing, but could."""
        try:
            with self._database.writing() as connection:
                connection.execute("SELECT 1")
        except Unavailable:
            return False
        return True

    def _counters(self) -> Json:
        counters: Json = dict.fromkeys(_COUNTERS)
        with suppress(Unavailable):  # it answered a moment ago; what is not known stays None
            files = self._files.counters()
            counters["file_count"] = files.file_count
            counters["total_bytes"] = files.total_bytes
            counters["conversation_count"] = self._conversations.count()
        return counters


_COUNTERS = ("file_count", "total_bytes", "conversation_count")


class _Remembered:
    """A probe that many may ask for: one at a time makes it, its result holds for a second."""

    def __init__(self, probe: Callable[[], bool]) -> None:
        self._probe = probe
        self._guard = threading.Lock()
        self._result = False
        self._until = 0.0

    def __call__(self) -> bool:
        with self._guard:
            if monotonic() >= self._until:
                self._result = self._probe()
                self._until = monotonic() + _PROBE_SECONDS
            return self._result


def provider_states(providers: Mapping[str, Provider]) -> dict[str, Json]:
    """Return the status of each provider by name, its kind included."""
    return {
        name: {"kind": provider.kind, **provider.status()} for name, provider in providers.items()
    }


def states_shown(states: Mapping[str, Json]) -> dict[str, Json]:
    """Return of each provider what is not about the account that it is used with."""
    return {
        name: {key: value for key, value in state.items() if key not in _ACCOUNT_FIELDS}
        for name, state in states.items()
    }


_ACCOUNT_FIELDS = frozenset(_AUTH_FIELDS) - {"problem"}


def auth_summary(
    states: Mapping[str, Json], *, settings: Settings, login_file: Path | None
) -> Json:
    """Return the login's summary: of the first provider that has one; times are ISO 8601."""
    state = next((each for each in states.values() if "ready_for_requests" in each), {})
    return {
        **{name: state.get(name) for name in _AUTH_FIELDS},
        "auth_store_path": login_file and str(login_file),
        "storage_mode": settings.auth.storage,
    }


def relay_summary(settings: Settings, tokens: DeviceTokens, *, client_base_url: str) -> Json:
    """Return the settings that a status shows; the main token by the digits of its digest only."""
    server, security, paths = settings.server, settings.security, settings.paths
    return {
        "app_name": APP_NAME,
        "config_path": settings.config_path and str(settings.config_path),
        "config_exists": settings.config_exists,
        "host": server.host,
        "port": server.port,
        "auth_storage_mode": settings.auth.storage,
        "data_dir": str(paths.data_dir),
        "logs_dir": str(paths.logs_dir),
        "browser_open": settings.auth.browser_open,
        "require_bearer_auth": security.require_bearer_auth,
        **_token_summary(settings, tokens),
        "auto_generate_bearer_token": security.auto_generate_bearer_token,
        **limits_summary(settings),
        "trusted_proxies": list(security.trusted_proxies),
        "max_upload_bytes": settings.uploads.max_upload_bytes,
        "max_total_upload_bytes": settings.uploads.max_total_upload_bytes,
        "client_base_url": client_base_url,
    }


def limits_summary(settings: Settings) -> Json:
    """Return the numbers that limit one client address."""
    security = settings.security
    return {
        "rate_limit_per_minute": security.rate_limit_per_minute,
        "rate_limit_burst": security.rate_limit_burst,
        "concurrent_requests_per_ip": security.concurrent_requests_per_ip,
        "failed_auth_window_seconds": security.failed_auth_window_seconds,
        "failed_auth_max_attempts": security.failed_auth_max_attempts,
        "failed_auth_block_seconds": security.failed_auth_block_seconds,
    }


def next_steps(states: Mapping[str, Json], *, has_token: bool) -> list[str]:
    """Return what the owner should do, the most urgent first; empty when all is well."""
    ready = _any_ready(states)
    problems = [state.get("problem") for state in states.values() if not state["ready"]]
    telling = [each for each in problems if each not in _MINOR_PROBLEMS or not ready]
    steps = [] if has_token else [INIT_STEP]
    if "missing" in telling:
        telling = [each for each in telling if each != "not_installed"]
    return steps + _steps_for(telling)


def _steps_for(problems: Iterable[object]) -> list[str]:
    found = [
        PROBLEM_STEPS.get(str(problem), "Find out more: airelays doctor") for problem in problems
    ]
    return list(dict.fromkeys(found))


def _any_ready(states: Mapping[str, Json]) -> bool:
    return any(state["ready"] for state in states.values())


def _token_summary(settings: Settings, tokens: DeviceTokens) -> Json:
    try:
        token, source = tokens.show(), tokens.source()
    except ConfigError:
        token = source = None
    return {
        "bearer_token_file": str(settings.security.bearer_token_file),
        "bearer_token_present": token is not None,
        "bearer_token_source": source,
        "bearer_token_fingerprint": token and fingerprint(token),
    }
