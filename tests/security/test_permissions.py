"""Whatever the umask: each file that the relay makes is 0600, each folder 0700.

Looked at in a home folder in which the commands and a server have made everything that they ever
make, the traffic log included.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningRelay
from tests.household import Found

FOUND_NOT_MADE = {"relay.log"}
"""What stands in the home folder because the test has put it there."""


def made_in(home: Path) -> Iterator[Path]:
    for entry in home.iterdir():
        if entry.name not in FOUND_NOT_MADE:
            yield entry
            yield from (
                Path(root, name)
                for root, *lists in os.walk(entry)
                for name in (*lists[0], *lists[1])
            )


def use(relay: RunningRelay) -> None:
    """Have the server write everything that a server writes."""
    assert relay.get("/v1/models", token="a-wrong-token-of-somebody").status_code == 401
    form = {"file": ("note.txt", b"note", "text/plain")}
    assert relay.request("POST", "/v1/files", files=form).status_code == 200
    conversation = relay.ok("/v1/conversations", {})["id"]
    turn = {"model": "gpt-5.5", "input": "hello", "conversation": conversation}
    relay.ok("/v1/responses", turn)
    relay.sandbox.void_access_tokens()
    relay.ok("/v1/responses", turn)


@pytest.mark.parametrize("umask", ["000", "077"])
def test_everything_is_private(found_household: Found, umask: str) -> None:
    household = found_household(umask=umask, LOG_TRAFFIC="true", LOG_TRAFFIC_BODIES="true")
    for words in (("init", "--systemd"), ("token", "add", "phone"), ("token", "rotate")):
        assert household.run(*words).returncode == 0
    household.log_in()
    with household.serving() as relay:
        use(relay)
        household.run("doctor", "--offline")
        household.run("init", "--force")
        modes = {
            path.relative_to(household.home).as_posix(): stat.S_IMODE(path.lstat().st_mode)
            for path in made_in(household.home)
        }
    folders = {name for name in modes if (household.home / name).is_dir()}
    assert {modes[name] for name in folders} == {0o700}, modes
    assert {modes[name] for name in modes.keys() - folders} == {0o600}, modes
    assert {
        ".config/airelays/config.toml",
        ".config/airelays/config.toml.old",
        ".config/systemd/user/airelays.service",
        ".airelays/auth.json",
        ".airelays/relay-token",
        ".airelays/tokens.json",
        ".airelays/state.sqlite3",
        ".airelays/state.sqlite3-wal",
        ".airelays/slots",
        ".airelays/uploads",
        ".airelays/logs",
    } <= modes.keys()
