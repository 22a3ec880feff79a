"""``airelays doctor`` finds what is wrong and names the command that mends it.

Each test brings about one state, against a sandbox that stands for the upstreams. The steps of
the worst findings come first, each can be understood alone, and no secret is ever printed.
"""

import json
import os
import socket
import stat
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airelays_app.cli.doctor_checks import CHECKS, machine
from airelays_app.sandbox import Sandbox
from tests.conftest import TOKEN, write_login

NOBODY_LISTENS = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def sandbox_of_all():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_of_all):
    sandbox_of_all.reset()
    return sandbox_of_all


class Household:
    """A home with an installation in which all is well, until a test breaks it."""

    def __init__(self, command, sandbox):
        self.command = command
        self.sandbox = sandbox
        self.config = command.home / ".config/airelays/config.toml"
        self.data_dir = command.home / ".airelays"
        self.environ = {
            "AIRELAYS_UPSTREAM_BASE_URL": sandbox.codex_url,
            "AIRELAYS_ISSUER_BASE_URL": sandbox.issuer_url,
            "AIRELAYS_PORT": str(free_port()),
        }
        self.config.parent.mkdir(mode=0o700, parents=True)
        self.config.touch(mode=0o600)
        self.data_dir.mkdir(mode=0o700)
        self.token_file = self.data_dir / "relay-token"
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(TOKEN)
        self.login = sandbox.login()
        write_login(self.data_dir, self.login)

    def examine(self, *words, **environ):
        """Return what the doctor reports to programs; a failure must show in the exit status."""
        result = self.command.run("doctor", "--json", *words, **{**self.environ, **environ})
        report = json.loads(result.stdout)
        assert result.exit_code == (0 if report["ok"] else 1)
        assert_no_secret(result.output, self.login)
        return report

    def finding(self, name, *words, **environ):
        report = self.examine(*words, **environ)
        return next(check for check in report["checks"] if check["name"] == name)


def assert_no_secret(text, login):
    secrets = [TOKEN, *(login[name] for name in ("id_token", "access_token", "refresh_token"))]
    assert not [secret for secret in secrets if secret in text]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class _Upstream(BaseHTTPRequestHandler):
    """Answers whatever is asked with the status and at the time that a test chose."""

    status = 404
    ahead = 0.0

    def do_GET(self):
        self.send_response_only(self.status)
        self.send_header("Date", formatdate(time.time() + self.ahead, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def odd_upstream():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def assert_fails(finding, message, step):
    assert finding["status"] == "fail", finding
    assert message in finding["message"]
    assert step in " ".join(finding["next_steps"])


@pytest.fixture
def household(command, sandbox):
    return Household(command, sandbox)


def test_where_all_is_well_nothing_is_to_be_done(household):
    report = household.examine()
    assert report["ok"]
    assert report["summary"]["failed"] == report["summary"]["warnings"] == 0
    assert report["next_steps"] == ["Start the relay: airelays serve"]
    assert [check["name"] for check in report["checks"]] == [check.name for check in CHECKS]


def test_no_configuration_file(household):
    household.config.unlink()
    found = household.finding("configuration")
    assert found["status"] == "warn"
    assert str(household.config) in found["message"]
    assert "airelays init" in found["next_steps"][0]


def test_a_configuration_that_is_wrong_is_all_that_is_told(household):
    household.config.write_text("[server]\nprot = 1\n")
    report = household.examine()
    first, *others = report["checks"]
    assert_fails(first, "server.prot", "airelays config check")
    assert {check["status"] for check in others} == {"skip"}


def test_no_token(household):
    household.token_file.unlink()
    assert_fails(household.finding("relay_token"), "no relay token", "airelays init")


def test_a_token_that_others_can_read(household):
    household.token_file.chmod(0o644)
    found = household.finding("relay_token")
    assert found["status"] == "warn"
    assert f"chmod 600 {household.token_file}" in found["next_steps"][0]


def test_a_weak_token(household):
    household.token_file.write_text("short")
    assert_fails(household.finding("relay_token"), "16", "airelays token rotate")


def test_an_open_relay_on_a_lan_address(household):
    exposed = {"AIRELAYS_REQUIRE_BEARER_AUTH": "false", "AIRELAYS_HOST": "0.0.0.0"}
    assert_fails(household.finding("network", **exposed), "0.0.0.0", "require_bearer_auth = false")
    confirmed = household.finding("network", **exposed, AIRELAYS_ALLOW_OPEN_RELAY="true")
    assert confirmed["status"] == "warn"


def test_a_port_in_use(household, sandbox):
    port = sandbox.issuer_url.rpartition(":")[2]
    found = household.finding("port", AIRELAYS_PORT=port)
    assert_fails(found, f"Port {port} is in use by another program", "airelays serve --port")


def test_nobody_is_logged_in(household):
    (household.data_dir / "auth.json").unlink()
    report = household.examine()
    found = next(check for check in report["checks"] if check["name"] == "login")
    assert_fails(found, "Nobody is logged in", "airelays login")
    assert "airelays local install" in found["next_steps"][0]


def test_an_expired_login_that_cannot_be_renewed(household, sandbox):
    sandbox.access_token_seconds = -60
    write_login(household.data_dir, {**sandbox.login(), "refresh_token": ""})
    assert_fails(household.finding("login"), "expired", "airelays login")


def test_an_expired_login_is_renewed_on_the_way(household, sandbox):
    sandbox.access_token_seconds = -60
    write_login(household.data_dir, sandbox.login())
    sandbox.access_token_seconds = 3600
    report = household.examine()
    by_name = {check["name"]: check for check in report["checks"]}
    assert by_name["login"]["status"] == "warn"
    assert by_name["subscription"]["status"] == "pass"
    assert household.finding("login")["status"] == "pass"


def test_a_renewal_that_is_refused(household, sandbox):
    sandbox.access_token_seconds = -60
    write_login(household.data_dir, sandbox.login())
    sandbox.script("refresh_token_expired")
    assert_fails(household.finding("subscription"), "refused to renew", "airelays login")
    assert_fails(household.finding("login"), "refused to renew", "airelays login")


def test_a_login_that_the_backend_rejects(household, sandbox):
    sandbox.script("unauthorized", times=2, path="/wham/usage")
    assert_fails(household.finding("subscription"), "rejects the login", "airelays login")


def test_a_login_of_another_account(household, sandbox):
    path = household.data_dir / "auth.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "bound_account_id": "someone-else"}))
    assert_fails(household.finding("login"), "another account", "airelays login --replace")


@pytest.mark.parametrize(
    ("setting", "check"), [("UPSTREAM_BASE_URL", "upstream"), ("ISSUER_BASE_URL", "issuer")]
)
def test_an_upstream_that_is_not_reached(household, setting, check):
    found = household.finding(check, **{f"AIRELAYS_{setting}": NOBODY_LISTENS})
    assert_fails(found, "is not reached", "upstream.https_proxy")


def test_an_upstream_that_answers_403(household, sandbox):
    sandbox.script("forbidden", path="/wham/usage")
    found = household.finding("subscription")
    assert_fails(found, "403: This account may not use this.", "chatgpt.com")


def test_an_upstream_that_is_out_of_order(household, odd_upstream, monkeypatch):
    monkeypatch.setattr(_Upstream, "status", 503)
    found = household.finding("upstream", AIRELAYS_UPSTREAM_BASE_URL=odd_upstream)
    assert found["status"] == "warn"
    assert "503" in found["message"]


def test_a_quota_that_is_used_up_is_told_with_its_reset(household, sandbox):
    sandbox.settings.used_percent = 100.0
    found = household.finding("subscription")
    assert_fails(found, "The quota is used up until ", "Wait for the reset")
    assert found["data"]["reset_at"] > time.time()
    assert found["data"]["reset_at_iso"] in found["message"]
    assert "which is in 2 h 30 min" in found["message"]


def test_of_two_windows_that_are_used_up_the_later_reset_counts(household, sandbox):
    sandbox.settings.used_percent = sandbox.settings.weekly_used_percent = 100.0
    assert "which is in 3 d 12 h" in household.finding("subscription")["message"]


def test_a_quota_that_is_nearly_used_up(household, sandbox):
    sandbox.settings.weekly_used_percent = 95.0
    found = household.finding("subscription")
    assert found["status"] == "warn"
    assert "5 % of the weekly window" in found["message"]


def test_a_data_folder_that_cannot_be_written(household):
    """Not even root can make files below /proc, or folders below a file."""
    for folder in ("/proc/airelays", str(household.config / "below")):
        found = household.finding("data_folder", AIRELAYS_DATA_DIR=folder)
        assert_fails(found, f"{folder} is not writable", "airelays serve --data-dir PATH")


def test_a_data_folder_that_others_can_look_into(household):
    household.data_dir.chmod(0o755)
    found = household.finding("data_folder")
    assert found["status"] == "warn"
    assert f"chmod 700 {household.data_dir}" in found["next_steps"][0]


def test_a_damaged_database(household):
    (household.data_dir / "state.sqlite3").write_bytes(b"this is no database" * 100)
    assert_fails(household.finding("database"), "state.sqlite3", "move state.sqlite3* aside")


def test_a_local_model_that_is_wanted_and_missing(household):
    found = household.finding("local_model", AIRELAYS_LOCAL_ENABLED="true")
    assert_fails(found, "not installed", "airelays local install")
    named = household.finding("local_model", AIRELAYS_LOCAL_MODEL_PATH="/no/model.gguf")
    assert_fails(named, "/no/model.gguf", "local.model_path")


def test_a_local_model_without_the_library_that_runs_it(household, real_models, monkeypatch):
    (household.data_dir / "models").symlink_to(real_models)
    monkeypatch.setattr(machine, "library_present", lambda: False)
    assert_fails(household.finding("local_model"), "missing", "-m pip install 'airelays[local]'")


def test_who_has_the_local_model_only_calls_no_upstream(household, real_models):
    (household.data_dir / "models").symlink_to(real_models)
    (household.data_dir / "auth.json").unlink()
    report = household.examine()
    assert report["ok"]
    assert len(household.sandbox.requests) == 0


@pytest.mark.parametrize(("ahead", "word"), [(3600.0, "slow"), (-3600.0, "fast")])
def test_a_clock_that_is_wrong(household, odd_upstream, monkeypatch, ahead, word):
    monkeypatch.setattr(_Upstream, "ahead", ahead)
    found = household.finding("clock", AIRELAYS_UPSTREAM_BASE_URL=odd_upstream)
    assert_fails(found, f"1 h {word}", "timedatectl")


def test_files_from_the_future_mean_that_the_clock_is_slow(household):
    tomorrow = time.time() + 86400
    os.utime(household.token_file, (tomorrow, tomorrow))
    assert_fails(household.finding("clock", "--offline"), "slow", "timedatectl")


def test_offline_calls_no_upstream(household, sandbox):
    report = household.examine("--offline")
    assert {check["status"] for check in report["checks"]} <= {"pass", "skip"}
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("models", ["", "listed"])
def test_another_server_that_does_not_answer(household, models):
    server = {"BASE_URL": NOBODY_LISTENS, "MODELS": models}
    settings = {f"AIRELAYS_PROVIDERS_BOX_{name}": value for name, value in server.items()}
    found = household.finding("other_servers", **settings)
    assert_fails(found, "box:", "[providers.NAME]")


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("AIRELAYS_MODELS_ALIASES", "nick=bxo/gpt-5.5", "models.aliases.nick"),
        ("AIRELAYS_MODELS_ALIASES", "nick=gpt-5.55", "models.aliases.nick"),
        ("AIRELAYS_ROUTING_FALLBACKS", '{"*": "gpt-5.5, codex/gpt"}', "routing.fallbacks.*"),
    ],
)
def test_a_name_that_leads_to_no_model(household, variable, value, key):
    found = household.finding("model_names", **{variable: value})
    assert found["status"] == "warn"
    assert key in found["message"]
    assert "codex does not list it" in found["message"]
    assert "airelays models" in found["next_steps"][0]


def test_names_that_lead_to_models(household):
    names = {
        "AIRELAYS_MODELS_ALIASES": "nick=gpt-5.5",
        "AIRELAYS_ROUTING_FALLBACKS": '{"*":"nick"}',
    }
    assert household.finding("model_names", **names)["status"] == "pass"


def test_the_page_for_people_says_what_the_report_for_programs_says(household):
    household.token_file.unlink()
    report = household.examine("--offline")
    page = household.command.run("doctor", "--offline", **household.environ)
    assert page.exit_code == 1
    for number, step in enumerate(report["next_steps"], 1):
        assert f"  {number}. {step}\n" in page.stdout
    for check in report["checks"]:
        assert check["message"] in page.stdout


def test_a_step_for_a_failure_comes_before_one_for_a_warning(household):
    household.config.chmod(0o644)
    household.token_file.unlink()
    steps = household.examine("--offline")["next_steps"]
    assert "airelays init" in steps[0]
    assert "chmod" in steps[1]


def test_nothing_is_changed(household):
    def files():
        return {
            path: (path.stat().st_mtime_ns, stat.S_IMODE(path.stat().st_mode))
            for path in household.command.home.rglob("*")
        }

    before = files()
    household.examine()
    assert files() == before
