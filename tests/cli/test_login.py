"""``airelays login``: the right way for where one sits, clear words, and a private file.

The commands run as processes of their own against the stand-in issuer.
"""

import json
import os
import pty
import stat
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from airelays_app.cli.login import is_headless
from airelays_app.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
UPPER = 60
RUN = """
from airelays_app.cli import COMMANDS, main
from airelays_app.cli.lazy_group import LazyCommand
COMMANDS.setdefault("login", LazyCommand("login:login", ""))
COMMANDS.setdefault("logout", LazyCommand("logout:logout", ""))
main()
"""
HOLD_A_PORT = """
import socket, sys
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
sys.stdin.read()
"""
BROWSE = """
import sys, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=30).read()
except urllib.error.HTTPError:
    sys.exit(0)
"""


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        running.settings.auto_approve_polls = 1
        yield running


@pytest.fixture
def environ(tmp_path, sandbox):
    browser = tmp_path / "browse.py"
    browser.write_text(BROWSE)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "BROWSER": f"{sys.executable} {browser} %s &",
        "AIRELAYS_ISSUER_BASE_URL": sandbox.issuer_url,
        "AIRELAYS_LOGIN_CALLBACK_PORT": "0",
        "AIRELAYS_AUTH_STORAGE": "file",
    }


def run(environ, *arguments: str, name: str = "login") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", RUN, name, *arguments],
        env=environ,
        cwd=environ["HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=UPPER,
        check=False,
    )


def stored(environ) -> dict:
    return json.loads((Path(environ["HOME"]) / ".airelays" / "auth.json").read_text())


def test_without_a_display_a_code_is_shown_and_a_private_file_written(environ, sandbox):
    done = run(environ)
    assert done.returncode == 0, done.stderr
    assert f"{sandbox.issuer_url}/codex/device" in done.stdout
    assert "owner@example.org" in done.stdout
    file = Path(environ["HOME"]) / ".airelays" / "auth.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert set(stored(environ)) == {"bound_account_id", "tokens", "last_refresh"}
    assert set(stored(environ)["tokens"]) == {
        "id_token",
        "access_token",
        "refresh_token",
        "account_id",
    }
    for secret in stored(environ)["tokens"].values():
        assert secret not in done.stdout + done.stderr


def test_programs_get_the_account_and_people_the_steps(environ, sandbox):
    done = run(environ, "--json")
    login = sandbox.login()
    assert json.loads(done.stdout) == {
        "email": "owner@example.org",
        "plan_type": "plus",
        "account_id": login["account_id"],
    }
    assert f"{sandbox.issuer_url}/codex/device" in done.stderr


def test_a_browser_is_opened_when_asked_for(environ):
    done = run(environ, "--browser")
    assert done.returncode == 0, done.stderr
    assert "owner@example.org" in done.stdout
    assert stored(environ)["bound_account_id"] == stored(environ)["tokens"]["account_id"]


def test_a_workspace_is_logged_in_to(environ):
    done = run(environ, "--browser", "--workspace-id", "workspace-3")
    assert done.returncode == 0, done.stderr
    assert stored(environ)["bound_account_id"] == "workspace-3"


def test_the_address_can_be_pasted_at_a_terminal(environ):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "login", "--no-browser"],
        env=environ,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(terminal)
    try:
        url = next(line.strip() for line in process.stdout if "/oauth/authorize?" in line)
        os.write(controller, b"http://localhost/nonsense\n")
        os.write(controller, redirected(url).encode() + b"\n")
        out, err = process.communicate(timeout=UPPER)
    finally:
        process.kill()
        os.close(controller)
    assert process.returncode == 0, err
    assert "owner@example.org" in out
    assert "not the address" in err


def redirected(url: str) -> str:
    """Return where the issuer sends the browser."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname, address.port, timeout=UPPER)
    try:
        connection.request("GET", f"{address.path}?{address.query}")
        return connection.getresponse().headers["location"]
    finally:
        connection.close()


def test_a_login_of_another_account_needs_replace(environ, sandbox):
    assert run(environ).returncode == 0
    first = stored(environ)
    sandbox.settings.email = "other@example.org"
    refused = run(environ)
    assert refused.returncode == 1
    assert "owner@example.org" in refused.stderr
    assert "--replace" in refused.stderr
    assert stored(environ) == first
    assert run(environ, "--replace").returncode == 0
    assert stored(environ)["bound_account_id"] != first["bound_account_id"]


def test_a_device_login_that_is_not_enabled_falls_back_to_an_address(environ, sandbox):
    sandbox.script("device_not_enabled", path="/usercode")
    done = run({**environ, "AIRELAYS_LOGIN_TIMEOUT_SECONDS": "1"})
    assert done.returncode == 1
    assert "/oauth/authorize?" in done.stdout
    assert "not enabled" in done.stderr
    assert "not finished within 1 seconds" in done.stderr


def test_a_busy_port_is_said_with_the_way_around(environ):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_A_PORT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = holder.stdout.readline().strip()
        done = run({**environ, "AIRELAYS_LOGIN_CALLBACK_PORT": port}, "--no-browser")
    finally:
        holder.communicate("", timeout=UPPER)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "airelays login --device" in done.stderr


def test_an_issuer_that_is_down_is_one_sentence(environ):
    done = run({**environ, "AIRELAYS_ISSUER_BASE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_ctrl_c_ends_the_wait_quietly(environ):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "login", "--no-browser"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = next(line.strip() for line in process.stdout if "/oauth/authorize?" in line)
    assert parse_qs(urlsplit(url).query)["state"]
    process.send_signal(2)
    _, err = process.communicate(timeout=UPPER)
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments", [("--device", "--browser"), ("--device", "--workspace-id", "w")]
)
def test_contradictions_are_wrong_usage(environ, arguments):
    assert run(environ, *arguments).returncode == 2


@pytest.mark.parametrize(
    ("environ", "platform", "headless"),
    [
        ({}, "linux", True),
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "a b c d"}, "linux", True),
        ({}, "darwin", False),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", True),
    ],
)
def test_where_a_browser_would_not_be_seen(environ, platform, headless):
    assert is_headless(environ, platform=platform) is headless


def test_two_logins_at_once_leave_a_whole_file(environ):
    threads = [threading.Thread(target=run, args=(environ,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(UPPER)
    assert stored(environ)["bound_account_id"]


def test_logout_removes_the_login(environ):
    assert run(environ).returncode == 0
    data_dir = Path(environ["HOME"]) / ".airelays"
    (data_dir / "auth.json.pending").write_text("{}")
    done = run(environ, "--json", name="logout")
    assert json.loads(done.stdout) == {"deleted": True, "revoked": False}
    assert [path.name for path in data_dir.iterdir()] == ["auth.json.lock"]
    again = run(environ, "--json", name="logout")
    assert again.returncode == 0
    assert json.loads(again.stdout) == {"deleted": False, "revoked": None}


def test_logout_says_what_became_of_the_session(environ):
    assert run(environ).returncode == 0
    assert "did not confirm" in run(environ, name="logout").stdout
    assert run(environ).returncode == 0
    assert json.loads(run(environ, "--local", "--json", name="logout").stdout)["revoked"] is None


def test_logout_of_a_torn_login(environ):
    data_dir = Path(environ["HOME"]) / ".airelays"
    data_dir.mkdir(mode=0o700)
    (data_dir / "auth.json").write_text("{")
    assert json.loads(run(environ, "--json", name="logout").stdout)["deleted"] is True
