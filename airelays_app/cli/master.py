"""The relay itself: the master process that serves until a signal says stop.

It is apart from the commands that run it, so that their help does not import the server.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from airelays_app.cli.failures import Failure, TryAgain
from airelays_app.cli.plan import plan_of
from airelays_app.cli.serving import Address, ip_hosts
from airelays_app.config import Settings
from airelays_app.config.exposure import open_relay_problem
from airelays_app.errors import ConfigError
from airelays_app.logs import configure
from airelays_app.providers.local.supervisor import LocalServer
from airelays_app.providers.local.supervisor import ServerOptions as LocalServerOptions
from airelays_app.server.listeners import CannotListen
from airelays_app.server.lock import DirectoryInUse, hold
from airelays_app.server.options import Plan
from airelays_app.server.run import run
from airelays_app.store.tokens import open_tokens

LOCK_SECONDS = 5.0
"""How long a second server waits for the data directory, so that a restart need not be exact."""

_LOCK_POLL_SECONDS = 0.1


class StartRefused(ConfigError):
    """The settings are valid, and starting with them would be wrong."""


def serve_relay(
    load: Callable[[], Settings], on_listening: Callable[[Settings, list[Address]], None]
) -> int:
    """Serve with the settings that ``load`` returns, now and on each SIGHUP; return the status.

    ``on_listening`` is called once, before the workers are forked, and must leave no thread
    running. Raises ConfigError from ``load``, Failure where a start is refused, TryAgain when
    another server holds the data directory.
    """
    settings = load()
    with _data_directory(settings.paths.data_dir):
        relay = _Relay(settings, load)
        try:
            return run(relay.plan, on_listening=lambda found: relay.listening(found, on_listening))
        except (CannotListen, StartRefused) as error:
            raise Failure(str(error)) from error
        finally:
            LocalServer(settings.paths.data_dir, LocalServerOptions(), os.getpid()).stop()


@dataclass(slots=True)
class _Relay:
    """What is known between one load of the settings and the next."""

    settings: Settings
    load: Callable[[], Settings]
    addresses: list[Address] | None = None

    def plan(self) -> Plan:
        """Return the plan to start or go on with. Raises ConfigError."""
        settings = self.settings if self.addresses is None else self.load()
        if settings.paths.data_dir != self.settings.paths.data_dir:
            raise StartRefused("paths.data_dir changes only with a restart.")
        self._refuse_open_relay(settings)
        _require_token(settings)
        configure(level=settings.logging.level, style=settings.logging.format)
        self.settings = settings
        return plan_of(settings)

    def listening(
        self, addresses: list[Address], tell: Callable[[Settings, list[Address]], None]
    ) -> None:
        """Note where clients connect: that is what counts for an open relay from now on."""
        self.addresses = addresses
        self._refuse_open_relay(self.settings)
        tell(self.settings, addresses)

    def _refuse_open_relay(self, settings: Settings) -> None:
        if self.addresses is None and os.environ.get("LISTEN_PID") == str(os.getpid()):
            return  # systemd's sockets: the real addresses are looked at in a moment
        hosts = None if self.addresses is None else ip_hosts(self.addresses)
        if problem := open_relay_problem(settings, hosts=hosts):
            raise StartRefused(problem)


def _require_token(settings: Settings) -> None:
    if not settings.security.require_bearer_auth:
        return
    tokens = open_tokens(settings)
    tokens.check()
    if settings.security.auto_generate_bearer_token:
        tokens.ensure()
    if not tokens.any_exists():
        raise StartRefused(
            "There is no relay token, so no client could get in. Make one: airelays init"
        )


@contextmanager
def _data_directory(data_dir: Path) -> Iterator[None]:
    """Hold the data directory; a server that is just ending gets some seconds to let it go."""
    deadline = time.monotonic() + LOCK_SECONDS
    with ExitStack() as holding:
        while True:
            try:
                holding.enter_context(hold(data_dir))
                break
            except DirectoryInUse as error:
                if time.monotonic() >= deadline:
                    raise TryAgain(str(error)) from error
                time.sleep(_LOCK_POLL_SECONDS)
        yield
