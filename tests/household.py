"""A household: a home folder in which the commands set a relay up, as an owner does."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from airelays_app.sandbox import Sandbox
from tests.conftest import RunningRelay, environ_for, write_login

_SETTINGS = {
    "AIRELAYS_DATA_DIR": "",
    "AIRELAYS_PORT": "0",
    "AIRELAYS_WORKERS": "2",
    "AIRELAYS_THREADS": "16",
    "AIRELAYS_STOP_SECONDS": "2",
    "AIRELAYS_RATE_LIMIT_PER_MINUTE": "100000",
    "AIRELAYS_RATE_LIMIT_BURST": "100000",
    "AIRELAYS_LOCAL_ENABLED": "false",
}
AIRELAYS = (sys.executable, "-m", "airelays_app.cli")


class Household:
    """A home folder, the commands run in it, and the relay that they have set up.

    State and configuration are where they are by default; only what makes a test quick, and where
    the upstreams are, comes from the environment. ``folder`` is what the data folder is called.
    """

    def __init__(
        self,
        home: Path,
        sandbox: Sandbox,
        *,
        umask: str = "022",
        folder: str = ".airelays",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.home = home
        self.sandbox = sandbox
        self.data_dir = home / folder
        self._shell = ("sh", "-c", f'umask {umask}; exec "$@"', "sh")
        given = {f"AIRELAYS_{name}": value for name, value in settings.items()}
        self.environ = environ_for(home, home, sandbox) | _SETTINGS | given

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [*self._shell, *AIRELAYS, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def log_in(self) -> None:
        """Put a login of the sandbox's owner into place."""
        write_login(self.data_dir, self.sandbox.login())

    @contextmanager
    def serving(self, *, command: tuple[str, ...] = (*AIRELAYS, "serve")) -> Iterator[RunningRelay]:
        """Run the relay for as long as the block."""
        relay = RunningRelay(self.home, self.sandbox, self.environ, (*self._shell, *command))
        relay.data_dir = self.data_dir
        token_file = self.data_dir / "relay-token"
        relay.token = token_file.read_text().strip() if token_file.exists() else ""
        try:
            yield relay
        finally:
            relay.stop()


Found = Callable[..., Household]


@contextmanager
def households(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Lend a function that founds a household with a sandbox of its own.

    Its keyword arguments are settings, by the part of the variable's name after ``AIRELAYS_``;
    ``umask`` and ``folder`` are the household's own.
    """
    with ExitStack() as running:

        def found(*, umask: str = "022", folder: str = ".airelays", **settings: str) -> Household:
            sandbox = running.enter_context(Sandbox())
            home = tmp_path_factory.mktemp("home")
            return Household(home, sandbox, umask=umask, folder=folder, settings=settings)

        yield found
