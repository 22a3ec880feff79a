"""The commands of ``docs/upgrade.rst`` do what it says, run as they stand there.

A backup that is restored on another machine brings back tokens, files and conversations, as
private as they were. ``systemctl`` is a stand-in.
"""

import stat
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from docutils import nodes

from airelays_app.config import load_settings
from airelays_app.store.conversations import ConversationStore
from airelays_app.store.database import Database
from airelays_app.store.files import FileStore
from airelays_app.store.tokens import open_tokens
from tests.docs import pages

PAGE = "docs/upgrade.rst"


def commands(heading):
    """Return the first block of commands under a heading."""
    tree, _ = pages.read(PAGE)
    section = next(s for s in tree.findall(nodes.section) if s[0].astext() == heading)
    return next(section.findall(nodes.literal_block)).astext()


@pytest.fixture
def shell(tmp_path):
    stand_in = tmp_path / "bin/systemctl"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/systemctl.log\n')
    stand_in.chmod(0o755)

    def run(heading: str, *, home: Path) -> None:
        environ = {"HOME": str(home), "PATH": f"{stand_in.parent}:/usr/bin:/bin"}
        script = f"set -e\n{commands(heading)}"
        subprocess.run(["/bin/sh", "-c", script], check=True, cwd=tmp_path, env=environ)

    return run


class State:
    """What the owner has in a home folder."""

    def __init__(self, home: Path) -> None:
        settings = load_settings(environ={"HOME": str(home)})
        folder = settings.paths.data_dir
        self.tokens = open_tokens(settings)
        self.database = Database(folder / "state.sqlite3")
        self.conversations = ConversationStore(self.database)
        self.files = FileStore(
            self.database, folder / "uploads", max_file_bytes=100, max_total_bytes=1000
        )


@pytest.fixture
def owned(tmp_path):
    home = tmp_path / "home"
    config = home / ".config/airelays/config.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    config.write_text("[server]\nport = 9000\n")
    (home / ".airelays").mkdir(mode=0o700)
    state = State(home)
    state.tokens.rotate()
    yield home, state
    state.database.close()


def test_a_restored_backup_is_what_was_saved(tmp_path, shell, owned):
    home, state = owned
    token, phone = state.tokens.show(), state.tokens.add("phone")
    stored = state.files.create(
        BytesIO(b"text"), filename="a.txt", purpose="assistants", content_type="text/plain"
    )
    talk = state.conversations.create(metadata={"about": "backup"}).id
    state.database.close()

    shell("Backup", home=home)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".airelays").mkdir(parents=True)
    shell("Restore", home=elsewhere)

    assert load_settings(environ={"HOME": str(elsewhere)}).server.port == 9000
    restored = State(elsewhere)
    assert restored.tokens.show() == token
    assert restored.tokens.identify(phone.encode())
    assert restored.conversations.get(talk).metadata == {"about": "backup"}
    with restored.files.open(stored.id)[1] as content:
        assert content.read() == b"text"
    restored.database.close()
    private = [elsewhere / ".airelays", *(elsewhere / ".airelays").rglob("*")]
    assert not [p for p in private if p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


def test_the_service_stands_still_meanwhile(tmp_path, shell, owned):
    home, _ = owned
    shell("Backup", home=home)

    asked = (tmp_path / "systemctl.log").read_text().splitlines()
    assert asked == ["--user stop airelays", "--user start airelays"]


def test_nothing_is_left_after_uninstalling(tmp_path, shell, owned):
    home, _ = owned
    unit = home / ".config/systemd/user/airelays.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    stand_in = tmp_path / "bin/airelays"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)

    shell("Uninstall", home=home)

    assert not [path for path in home.rglob("*") if "airelay" in path.name]
