"""Rules of the systemd units.

* systemd finds nothing to complain about, and rates the system unit 2.0 or better.
* What the units promise fits what the server does: it reports itself ready, takes HUP as a
  reload, and is given more time to stop than it takes.
"""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airelays_app.cli.user_unit import unit_text
from airelays_app.server.options import ServerOptions

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("airelays.service", "airelays-user.service")
WORST_EXPOSURE = 2.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is missing: install the package systemd to check the units",
)


def service_of(name):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(UNITS / name)
    return parser["Service"]


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_systemd
@pytest.mark.parametrize("name", [*SERVICES, "airelays.socket"])
def test_systemd_has_no_complaint(name, tmp_path):
    """The command is not installed here, so another stands in for it."""
    for unit in UNITS.iterdir():
        text = re.sub(
            r"^ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text(), flags=re.M
        )
        (tmp_path / unit.name).write_text(text)
    done = analyze("verify", "--man=no", str(tmp_path / name))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_system_unit_is_little_exposed():
    done = analyze("security", "--offline=true", str(UNITS / "airelays.service"))
    rating = re.search(r"Overall exposure level for airelays\.service: ([0-9.]+)", done.stdout)
    assert rating is not None, done.stdout + done.stderr
    assert float(rating[1]) <= WORST_EXPOSURE


@pytest.mark.parametrize("name", SERVICES)
def test_the_server_has_more_time_to_stop_than_it_takes(name):
    stop_seconds = ServerOptions(host="", port=0, workers=1, threads=1).stop_seconds
    assert int(service_of(name)["TimeoutStopSec"]) >= stop_seconds + 10


def test_init_installs_the_user_unit_of_this_folder():
    written = configparser.RawConfigParser(strict=False)
    written.optionxform = str
    written.read_string(unit_text(["/usr/bin/airelays", "serve"]))
    ours = dict(service_of("airelays-user.service"))
    assert dict(written["Service"]) | {"ExecStart": ours["ExecStart"]} == ours


@pytest.mark.parametrize("name", SERVICES)
def test_the_unit_uses_what_the_server_offers(name):
    service = service_of(name)
    assert service["Type"] == "notify"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["ExecStart"].endswith("/airelays serve")
    assert service["KillMode"] == "mixed"
    assert int(service["WatchdogSec"]) >= 2 * 30
    assert int(service["LimitNOFILE"]) >= 4096


def test_the_system_unit_runs_as_its_own_user_and_writes_only_its_state():
    service = service_of("airelays.service")
    assert service["User"] == "airelays"
    assert service["StateDirectory"] == "airelays"
    assert service["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in service


def test_the_installation_makes_the_folders_that_the_unit_uses():
    """``airelays init`` runs before systemd has made its state directory."""
    text = (UNITS / "airelays.service").read_text()
    made = re.search(r"install -d -o airelays -g airelays -m 0700 (.+)", text)
    assert made is not None
    used = re.findall(r"^Environment=\w+=(\S+?)(?:/config\.toml)?$", text, re.M)
    assert set(made[1].split()) == set(used)
