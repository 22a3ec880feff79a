"""A whole relay on a home folder that an earlier version left: everything in it goes on working.

Three homes: the singular one (``~/.config/airelay``, ``~/.airelay``), that of 0.2.4 and that of
0.22, each with the files, modes and tables those versions wrote (seen 2026-11-22). The token, the
login, the files and the conversations are used through the relay, twice, with a restart between;
nothing is lost, and what others could read they can read no more.
"""

import hashlib
import json
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from airelays_app.config.locations import PREFIXES
from tests.conftest import RunningRelay
from tests.household import Found, Household

TOKEN = "chosen-by-the-owner-years-ago"
TEXT = b"remembered for years"
MADE_AT = 1_780_000_000
SEED = [
    {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "My cat is Tom"}],
    },
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Noted"}]},
]
TABLES = """
    CREATE TABLE files (id TEXT PRIMARY KEY, filename TEXT NOT NULL, purpose TEXT NOT NULL,
        content_type TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
        created_at INTEGER NOT NULL, storage_path TEXT NOT NULL{tombstone});
    CREATE TABLE conversations (id TEXT PRIMARY KEY, metadata_json TEXT NOT NULL,
        seed_items_json TEXT NOT NULL, latest_response_id TEXT, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL);
"""
CONFIG = """
[server]
host = "127.0.0.1"
port = 8181
[paths]
data_dir = "{data_dir}"
logs_dir = "{data_dir}/logs"
[auth]
storage = "auto"
[upstream]
base_url = "https://chatgpt.com/backend-api/codex"
client_version = "0.124.0"
request_timeout_seconds = 120
[security]
require_bearer_auth = true
bearer_token_file = "{data_dir}/relay-token"
concurrent_requests_per_ip = 8
trust_x_forwarded_for = false
"""


@dataclass(frozen=True)
class Earlier:
    """What sets a version's home apart."""

    folder: str
    config: str
    folder_mode: int = 0o755
    database_mode: int = 0o644
    tombstone: str = ""
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


HOMES = {
    "singular": Earlier(".airelay", ".config/airelay"),
    "0.2.4": Earlier(".airelays", ".config/airelays"),
    "0.22": Earlier(
        ".airelays",
        ".config/airelays",
        folder_mode=0o700,
        tombstone=", deleted_at INTEGER",
        extra={
            "auth.json.lock": "",
            "relay.lock": "4711",
            "relay.pid": "4711",
            "openai-window-tokens.json": "{}",
            "logs/.retention.json": "{}",
            "accounts/manifest.json": '{"order": []}',
        },
    ),
}


@pytest.fixture(params=HOMES)
def earlier(request: pytest.FixtureRequest) -> Earlier:
    return HOMES[request.param]


@pytest.fixture
def household(earlier: Earlier, found_household: Found) -> Household:
    household = found_household(folder=earlier.folder)
    leave_behind(household, earlier)
    return household


def leave_behind(household: Household, earlier: Earlier) -> None:
    """Write what that version had written by the time of the upgrade."""
    data_dir, config = household.data_dir, household.home / earlier.config / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG.format(data_dir=data_dir))
    for name in ("uploads", "tmp", "logs/2026/06"):
        (data_dir / name).mkdir(parents=True)
    for name, content in {**earlier.extra, "logs/2026/06/21-10.log": '{"phase": "old"}\n'}.items():
        (data_dir / name).parent.mkdir(exist_ok=True)
        (data_dir / name).write_text(content)
    (data_dir / "relay-token").write_text(f"{TOKEN}\n")
    (data_dir / "uploads/file_kept").write_bytes(TEXT)
    household.log_in()
    write_database(data_dir, earlier)
    data_dir.chmod(earlier.folder_mode)


def write_database(data_dir: Path, earlier: Earlier) -> None:
    path = data_dir / "state.sqlite3"
    blob = str(data_dir / "uploads/file_kept")
    digest = hashlib.sha256(TEXT).hexdigest()
    file = (
        "file_kept",
        "cat.txt",
        "user_data",
        "text/plain",
        len(TEXT),
        digest,
        1_780_000_000,
        blob,
    )
    conversation = ("conv_kept", '{"topic": "cats"}', json.dumps(SEED), "resp_1", 1_780_000_000, 7)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES.format(tombstone=earlier.tombstone))
        marks = ",".join("?" * len(file))
        columns = "id, filename, purpose, content_type, bytes, sha256, created_at, storage_path"
        connection.execute(f"INSERT INTO files ({columns}) VALUES ({marks})", file)
        connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?)", conversation)
    path.chmod(earlier.database_mode)


def test_everything_goes_on_working(household: Household) -> None:
    for turn in (1, 2):
        with household.serving() as relay:
            assert relay.get("/v1/models").status_code == 200
            files_are_there(relay)
            conversation_goes_on(relay, turn)
    folder = household.data_dir
    assert (folder / "logs/2026/06/21-10.log").read_text() == '{"phase": "old"}\n'
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "state.sqlite3").stat().st_mode) == 0o600
    other = ".airelays" if folder.name == ".airelay" else ".airelay"
    assert not (household.home / other).exists()


def files_are_there(relay: RunningRelay) -> None:
    (listed,) = relay.get("/v1/files").json()["data"]
    assert (listed["id"], listed["filename"], listed["bytes"]) == (
        "file_kept",
        "cat.txt",
        len(TEXT),
    )
    assert listed["created_at"] == 1_780_000_000
    assert relay.get("/v1/files/file_kept/content").content == TEXT
    attached = [{"type": "input_file", "file_id": "file_kept"}]
    relay.ok(
        "/v1/responses", {"model": "gpt-5.5", "input": [{"role": "user", "content": attached}]}
    )
    assert "cat.txt" in json.dumps(relay.asked())


def conversation_goes_on(relay: RunningRelay, turn: int) -> None:
    kept = relay.get("/v1/conversations/conv_kept").json()
    assert kept["metadata"] == {"topic": "cats"}
    said = f"turn {turn} [[say answer {turn}]]"
    body = {"model": "gpt-5.5", "input": said, "conversation": "conv_kept"}
    relay.ok("/v1/responses", body)
    sent = json.dumps(relay.asked()["input"])
    assert "My cat is Tom" in sent
    assert sent.count("answer 1") == turn  # what was asked for, and once answered that too
    items = relay.get("/v1/conversations/conv_kept/items?order=asc").json()["data"]
    assert len(items) == len(SEED) + 2 * turn


def test_the_commands_see_the_same_home(household: Household) -> None:
    shown = json.loads(household.run("status", "--json").stdout)
    assert shown["relay"]["data_dir"] == str(household.data_dir)
    assert shown["auth"]["ready_for_requests"] is True
    token = json.loads(household.run("token", "show", "--json").stdout)
    assert token["relay_token"] == TOKEN
    again = json.loads(household.run("init", "--json").stdout)
    assert (again["config_created"], again["bearer_token_created"]) == (False, False)


KEYRING = '''
"""Stands in for the desktop's keyring: one JSON file."""

import json, os
from pathlib import Path

_FILE = Path(os.environ["TEST_KEYRING"])


def _entries():
    return json.loads(_FILE.read_text())


def get_password(service, username):
    return _entries().get(f"{service} {username}")


def delete_password(service, username):
    entries = _entries()
    del entries[f"{service} {username}"]
    _FILE.write_text(json.dumps(entries))
'''


@pytest.mark.parametrize("service", ["AIRelay Auth", "AIRelays Auth"])
def test_a_login_in_the_keyring_moves_into_the_file(found_household: Found, service: str) -> None:
    household = found_household(folder=".airelay")
    leave_behind(household, HOMES["singular"])
    login = household.data_dir / "auth.json"
    digest = hashlib.sha256(str(household.data_dir.resolve()).encode()).hexdigest()
    entries = household.home / "keyring.json"
    entries.write_text(json.dumps({f"{service} cli|{digest[:16]}": login.read_text()}))
    kept = json.loads(login.read_text())
    login.unlink()
    (household.home / "keyring.py").write_text(KEYRING)
    household.environ |= {"PYTHONPATH": str(household.home), "TEST_KEYRING": str(entries)}
    with household.serving() as relay:
        relay.ok("/v1/responses", {"model": "gpt-5.5", "input": "hello"})
    assert json.loads(login.read_text())["tokens"] == kept["tokens"]
    assert stat.S_IMODE(login.stat().st_mode) == 0o600
    assert json.loads(entries.read_text()) == {}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_variables_of_earlier_versions_still_count(found_household: Found, prefix: str) -> None:
    household = found_household()
    household.environ |= {"AIRELAYS_RATE_LIMIT_BURST": "", f"{prefix}RATE_LIMIT_BURST": "77"}
    assert "77" in household.run("config", "show", "--json").stdout
