"""What the service manager hears from ``airelays serve`` itself, in the order of a unit's life."""

import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.household import households

PATIENCE = 60.0


class Manager:
    """The service manager's end of the line."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.address))
        self._socket.settimeout(PATIENCE)

    def close(self) -> None:
        self._socket.close()

    def hear(self, state: str) -> list[str]:
        """Read until ``state`` is told; return all that was told since the last time."""
        told: list[str] = []
        while state not in told:
            told += self._socket.recv(4096).decode().split("\n")
        return told


@pytest.fixture
def manager() -> Iterator[Manager]:
    with tempfile.TemporaryDirectory() as folder, closing(Manager(Path(folder))) as manager:
        yield manager


def test_a_units_life(tmp_path_factory: pytest.TempPathFactory, manager: Manager) -> None:
    with households(tmp_path_factory) as found:
        household = found()
        household.run("init")
        household.environ |= {"NOTIFY_SOCKET": str(manager.address), "WATCHDOG_USEC": "2000000"}
        with household.serving() as relay:
            manager.hear("READY=1")
            assert relay.log().count("worker started") == 2
            assert relay.get("/healthz").status_code == 200
            manager.hear("WATCHDOG=1")

            relay.process.send_signal(signal.SIGHUP)
            told = manager.hear("RELOADING=1")
            assert any(line.startswith("MONOTONIC_USEC=") for line in told)
            manager.hear("READY=1")
            assert "reloaded generation=" in relay.log()

            config = household.home / ".config/airelays/config.toml"
            config.write_text("[server]\nprot = 1\n")
            relay.process.send_signal(signal.SIGHUP)
            manager.hear("RELOADING=1")
            manager.hear("READY=1")
            assert "the configuration is not changed" in relay.log()

            relay.process.send_signal(signal.SIGTERM)
            manager.hear("STOPPING=1")
            assert relay.process.wait(PATIENCE) == 0
