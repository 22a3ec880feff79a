"""A relay in processes of its own, as people run it, on a sandbox in this process."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, settings

from airelays_app.providers.local.weights import install
from airelays_app.providers.local.wheels import WeightsError
from airelays_app.sandbox import Sandbox

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("searching", deadline=None, max_examples=1000)
settings.load_profile("repeatable")
# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

TOKEN = "a-relay-token-for-tests-only"
_PATIENCE = 120.0
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
SERVE = (sys.executable, "-m", "airelays_app.cli", "serve")
_STANDARD = {
    "AIRELAYS_HOST": "127.0.0.1",
    "AIRELAYS_PORT": "0",
    "AIRELAYS_BEARER_TOKEN": TOKEN,
    "AIRELAYS_WORKERS": "2",
    "AIRELAYS_THREADS": "16",
    "AIRELAYS_STOP_SECONDS": "2",
    "AIRELAYS_RATE_LIMIT_PER_MINUTE": "100000",
    "AIRELAYS_RATE_LIMIT_BURST": "100000",
    "AIRELAYS_LOCAL_ENABLED": "false",
}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event of a stream; ``name`` is empty if it had no ``event:`` line."""

    name: str
    data: Any


def parse_sse(text: str) -> list[SseEvent]:
    """Read a finished stream strictly: every block ends, and holds nothing but its event."""
    assert text.endswith("\n\n"), f"the stream ends in the middle of an event: {text[-200:]!r}"
    blocks = [block for block in text[:-2].split("\n\n") if not block.startswith(":")]
    return [_sse_event(block) for block in blocks]


def _sse_event(block: str) -> SseEvent:
    lines = block.split("\n")
    name = lines.pop(0).removeprefix("event: ") if lines[0].startswith("event: ") else ""
    assert [line[:6] for line in lines] == ["data: "], block
    data = lines[0][6:]
    return SseEvent(name, data if data == "[DONE]" else json.loads(data))


class RunningRelay:
    """A relay that clients can reach, the folder that it lives in, and its upstream."""

    def __init__(
        self, home: Path, sandbox: Sandbox, environ: Mapping[str, str], command: tuple[str, ...]
    ) -> None:
        self.home = home
        self.data_dir = home / "data"
        self.sandbox = sandbox
        self.token = environ.get("AIRELAYS_BEARER_TOKEN", "")
        self.environ = environ_for(home, self.data_dir, sandbox) | environ
        self._log_path = home / "relay.log"
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=self.environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    @cached_property
    def url(self) -> str:
        """The address, without ``/v1``; waits until the relay serves."""
        self.await_log("ready workers=")
        line = next(line for line in self.log().splitlines() if "message=listening" in line)
        address = _ADDRESS.search(line)
        assert address, line
        return f"http://{address[0]}"

    @property
    def base_url(self) -> str:
        """What clients are given."""
        return f"{self.url}/v1"

    def log(self) -> str:
        """Return what the relay has written so far."""
        return self._log_path.read_text(errors="replace")

    def await_log(self, text: str, times: int = 1) -> None:
        """Wait until ``text`` is in the log that often."""
        deadline = time.monotonic() + _PATIENCE
        while self.log().count(text) < times:
            assert self.process.poll() is None, f"the relay has ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"no {text!r} in the log:\n{self.log()}"
            time.sleep(0.05)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request with the token (``token=None``: without one); reads the whole answer."""
        token = options.pop("token", self.token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        options.setdefault("timeout", _PATIENCE)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET ``path``."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """POST ``body`` as JSON."""
        return self.request("POST", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        """DELETE ``path``."""
        return self.request("DELETE", path, **options)

    def ok(self, path: str, body: Any, **options: Any) -> Any:
        """POST ``body`` as JSON; return the JSON of the 200 that must come."""
        answer = self.post(path, body, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, path: str, body: Any, status: int = 422, **options: Any) -> dict[str, Any]:
        """POST ``body`` as JSON; return the error object of the refusal that must come."""
        answer = self.post(path, body, **options)
        assert answer.status_code == status, answer.text
        return error_of(answer)

    def events(self, path: str, body: Mapping[str, Any], **options: Any) -> list[SseEvent]:
        """POST ``body`` for a stream; return its events."""
        answer = self.post(path, {**body, "stream": True}, **options)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        answer.encoding = "utf-8"
        return parse_sse(answer.text)

    @contextmanager
    def streaming(
        self, path: str, body: Mapping[str, Any], **options: Any
    ) -> Iterator[requests.Response]:
        """POST ``body`` for a stream whose head has come; the client leaves with the block."""
        with requests.Session() as session:
            session.trust_env = False
            with session.post(
                self.url + path,
                json={**body, "stream": True},
                headers={"Authorization": f"Bearer {self.token}"},
                stream=True,
                timeout=_PATIENCE,
                **options,
            ) as answer:
                yield answer

    def asked(self, path_end: str = "/codex/responses") -> Any:
        """Return the JSON of the last request that reached the upstream."""
        return self.sandbox.requests.to(path_end)[-1].json

    def command(self, *words: str) -> str:
        """Run ``airelays`` with its settings; return what it printed."""
        airelays = [sys.executable, "-m", "airelays_app.cli", *words]
        ran = subprocess.run(airelays, env=self.environ, capture_output=True, text=True, check=True)
        return ran.stdout

    def add_token(self, name: str) -> str:
        """Give another device a token; return it."""
        added = json.loads(self.command("token", "add", name, "--json"))
        return str(added["relay_token"])

    def stop(self) -> int:
        """End it, gently at first; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(20)


def error_of(answer: requests.Response) -> dict[str, Any]:
    """Return the error object of a refusal, which has OpenAI's four keys and nothing beside it."""
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert {"message", "type", "param", "code"} <= body["error"].keys(), body
    assert answer.headers["x-request-id"]
    return dict(body["error"])


def environ_for(home: Path, data_dir: Path, sandbox: Sandbox) -> dict[str, str]:
    """Return an environment that holds nothing of the one who runs the tests."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRELAY", "XDG_")) and name.upper() not in _PROXIES
    }
    return inherited | {
        "HOME": str(home),
        "AIRELAYS_DATA_DIR": str(data_dir),
        "AIRELAYS_UPSTREAM_BASE_URL": sandbox.codex_url,
        "AIRELAYS_ISSUER_BASE_URL": sandbox.issuer_url,
        "AIRELAYS_PROVIDERS_BOX_BASE_URL": sandbox.compatible_url,
        "AIRELAYS_PROVIDERS_BOX_API_KEY": sandbox.compatible_key,
    }


def further_providers(sandbox: Sandbox, *, plain: str, vendors: bool) -> dict[str, str]:
    """Return the settings of the providers that only some relays have."""
    settings = {}
    if plain:
        settings["PROVIDERS_PLAIN_DIALECTS"] = plain
        settings["PROVIDERS_PLAIN_BASE_URL"] = sandbox.compatible_url
        settings["PROVIDERS_PLAIN_API_KEY"] = sandbox.compatible_key
    if vendors:
        settings["PROVIDERS_ANTHROPIC_BASE_URL"] = sandbox.anthropic_url
        settings["PROVIDERS_ANTHROPIC_API_KEY"] = sandbox.anthropic_key
        settings["PROVIDERS_GEMINI_BASE_URL"] = sandbox.gemini_url
        settings["PROVIDERS_GEMINI_API_KEY"] = sandbox.gemini_key
    return settings


def write_login(data_dir: Path, login: Mapping[str, str]) -> None:
    """Put a login where the relay finds it."""
    path = data_dir / "auth.json"
    tokens = {name: login[name] for name in ("id_token", "access_token", "refresh_token")}
    document = {
        "bound_account_id": login["account_id"],
        "tokens": {**tokens, "account_id": login["account_id"]},
        "last_refresh": "2026-11-22T00:00:00Z",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))


StartRelay = Callable[..., RunningRelay]


@contextmanager
def starting_relays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRelay]:
    """Give a function that starts relays; they and their sandboxes end with the block.

    ``sandbox`` is the upstream, by default one of its own. ``login=False`` leaves the account
    out; the relay has a provider ``box`` too, on the sandbox's compatible server, with ``plain``
    one of that name there that is said to speak these dialects only, with ``vendors`` Anthropic and
    Google. ``models`` is a directory with weights of the local model, ``further_logins`` has an
    address for each further account. Further keyword arguments are settings, by the part of the
    variable's name after ``AIRELAYS_``.
    """
    with ExitStack() as running:

        def start(
            *,
            sandbox: Sandbox | None = None,
            login: bool = True,
            plain: str = "",
            vendors: bool = False,
            models: Path | None = None,
            further_logins: Mapping[str, str] | None = None,
            **settings: str,
        ) -> RunningRelay:
            sandbox = sandbox or running.enter_context(Sandbox())
            home = tmp_path_factory.mktemp("home")
            further = further_providers(sandbox, plain=plain, vendors=vendors)
            environ = {f"AIRELAYS_{name}": value for name, value in (further | settings).items()}
            (home / "data").mkdir(mode=0o700)
            if login:
                write_login(home / "data", sandbox.login())
            for name, email in (further_logins or {}).items():
                folder = home / "data" / "accounts" / name
                folder.mkdir(parents=True, mode=0o700)
                write_login(folder, sandbox.login(email=email))
            if models:
                (home / "data" / "models").symlink_to(models)
            relay = RunningRelay(home, sandbox, _STANDARD | environ, SERVE)
            running.callback(relay.stop)
            return relay

        yield start


@pytest.fixture(scope="module")
def start_relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRelay]:
    """Return a function that starts relays, see :func:`starting_relays`, for one module."""
    with starting_relays(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module")
def module_relay(start_relay: StartRelay) -> RunningRelay:
    """Return a relay for all tests of a module."""
    return start_relay()


@pytest.fixture
def relay(module_relay: RunningRelay) -> Iterator[RunningRelay]:
    """Return the module's relay; its sandbox remembers nothing of earlier tests."""
    module_relay.sandbox.reset()
    logged = len(module_relay.log())
    yield module_relay
    module_relay.sandbox.reset()
    print(module_relay.log()[logged:])  # pytest shows it for a test that failed


@pytest.fixture(scope="session")
def real_models() -> Path:
    """Return a directory with the released weights, fetched once per machine, or skip."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the [local] extra is not installed: pip install 'airelays[local]'")
    given = os.environ.get("AIRELAYS_TEST_MODELS")
    models = Path(given) if given else Path.home() / ".cache" / "airelays" / "models"
    try:
        install(models, progress=lambda done, total: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the local model cannot be fetched: {error}")
    return models
