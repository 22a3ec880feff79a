"""What is measured: the upstream itself, the bare relay, and AIRelays as ``airelays serve``."""

import base64
import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Server, free_port, running

NAMES = ("direct", "bare", "airelays")
_UNLIMITED = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many processes and threads each relay gets; the same for all."""

    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Targets:
    """The running servers by name, and the token that AIRelays asks for."""

    servers: dict[str, Server]
    token: str


@contextmanager
def started(concurrency: Concurrency, directory: Path) -> Iterator[Targets]:
    """Run the upstream and the relays in front of it; ``directory`` gets their logs and state."""
    token = secrets.token_urlsafe(24)
    with ExitStack() as stack:
        upstream = stack.enter_context(_upstream(directory))
        servers = {
            "direct": upstream,
            "bare": stack.enter_context(_bare(concurrency, upstream.port, directory)),
            "airelays": stack.enter_context(
                _airelays(concurrency, upstream.port, directory, token=token)
            ),
        }
        yield Targets(servers, token)


@contextmanager
def _upstream(directory: Path) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.upstream", str(port)]
    with running(command, port=port, environ={}, log=directory / "upstream.log") as server:
        yield server


@contextmanager
def _bare(concurrency: Concurrency, upstream: int, directory: Path) -> Iterator[Server]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "benchmarks.bare:app"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", str(concurrency.workers), "--threads", str(concurrency.threads)),
        *("--worker-connections", "4096", "--keep-alive", "75", "--no-control-socket"),
        *("--graceful-timeout", "1", "--log-level", "warning"),
    ]
    environ = {
        "BARE_UPSTREAM": f"http://127.0.0.1:{upstream}",
        "BARE_THREADS": str(concurrency.threads),
    }
    with running(command, port=port, environ=environ, log=directory / "bare.log") as server:
        yield server


@contextmanager
def _airelays(
    concurrency: Concurrency, upstream: int, directory: Path, *, token: str
) -> Iterator[Server]:
    port = free_port()
    data = directory / "data"
    data.mkdir(mode=0o700)
    _write_private(data / "auth.json", json.dumps(_login()))
    config = directory / "config.toml"
    _write_private(config, _settings(port, upstream, concurrency))
    environ = {
        "HOME": str(directory),
        "AIRELAYS_CONFIG": str(config),
        "AIRELAYS_DATA_DIR": str(data),
        "AIRELAYS_BEARER_TOKEN": token,
    }
    command = [sys.executable, "-m", "airelays_app.cli", "serve"]
    with running(command, port=port, environ=environ, log=directory / "airelays.log") as server:
        yield server


def _settings(port: int, upstream: int, concurrency: Concurrency) -> str:
    """Return a configuration in which nothing is turned off; only the ceilings are raised.

    ``plain`` is one provider's alone, so that it needs no prefix and its requests no change.
    """
    return f"""\
[server]
port = {port}
workers = {concurrency.workers}
threads = {concurrency.threads}
stop_seconds = 1

[security]
rate_limit_per_minute = {_UNLIMITED}
rate_limit_burst = {_UNLIMITED}
concurrent_requests_per_ip = {_UNLIMITED}

[upstream]
base_url = "http://127.0.0.1:{upstream}/backend-api/codex"

[providers.fast]
kind = "compatible"
base_url = "http://127.0.0.1:{upstream}/v1"
api_key = "upstream-key"
dialects = ["responses", "chat"]
models = ["plain"]

[providers.talk]
kind = "compatible"
base_url = "http://127.0.0.1:{upstream}/v1"
api_key = "upstream-key"
dialects = ["chat"]

[providers.anthropic]
kind = "anthropic"
base_url = "http://127.0.0.1:{upstream}/v1"
api_key = "upstream-key"

[providers.gemini]
kind = "gemini"
base_url = "http://127.0.0.1:{upstream}/v1beta"
api_key = "upstream-key"
"""


def _login() -> dict[str, object]:
    """Return a login that is good for a year; the stand-in upstream does not look at it."""
    claims = {
        "exp": int(time.time()) + 365 * 86_400,
        "https://api.openai.com/auth": {"chatgpt_account_id": "account"},
    }
    parts = ({"alg": "none"}, claims, "unsigned")
    token = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    tokens = {"id_token": token, "access_token": token, "account_id": "account"}
    return {"bound_account_id": "account", "tokens": tokens}


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
