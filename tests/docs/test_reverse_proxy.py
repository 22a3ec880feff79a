"""The reverse-proxy examples do what ``docs/reverse-proxy.rst`` says, with the real programs.

They are run as they stand, but for the name, the addresses, the certificate and the log. Where a
program is not installed, only what the files say is checked.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from websockets.sync.client import connect

from airelays_app.config import load_settings
from tests.conftest import TOKEN
from tests.docs.pages import ROOT
from tests.servers import free_port, running

CLIENT = "127.0.0.2"
"""The address from which the client calls: another one than the proxy's."""

NGINX_AROUND_IT = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/airelays.conf;
}}
"""


def nginx_files(folder: Path, *, port: int, upstream: str, certificate: Path) -> list[str]:
    """Write nginx's files and return its command."""
    text = (ROOT / "config/nginx.conf.example").read_text()
    for there, here in (
        ("    listen [::]:443 ssl http2;\n", ""),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:8080", upstream),
        ("/etc/ssl/certs/relay.example.org.pem", str(certificate)),
        ("/etc/ssl/private/relay.example.org.key", str(certificate)),
        ("/var/log/nginx", str(folder)),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "airelays.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX_AROUND_IT.format(folder=folder, user=user))
    return ["nginx", "-c", str(folder / "nginx.conf")]


def caddy_files(folder: Path, *, port: int, upstream: str, certificate: Path) -> list[str]:
    """Write Caddy's file and return its command."""
    text = (ROOT / "config/Caddyfile.example").read_text()
    name = "\nrelay.example.org {"
    assert name in text
    served = f"\nhttps://127.0.0.1:{port} {{\n\ttls {certificate} {certificate}"
    text = text.replace(name, served).replace("127.0.0.1:8080", upstream)
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROGRAMS = {"nginx": nginx_files, "caddy": caddy_files}


class Visitor:
    """A client that calls the relay through the proxy."""

    def __init__(self, url: str, relay, certificate: Path) -> None:
        self.url = url
        self.relay = relay
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(certificate)
        self.session.mount("https://", _FromClient())
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def ask(self, prompt: str, *, token: str = TOKEN, **options) -> requests.Response:
        body = {"model": "gpt-5.5", "input": prompt, "stream": options.get("stream", False)}
        headers = {"Authorization": f"Bearer {token}"}
        where = f"{self.url}/v1/responses"
        return self.session.post(where, json=body, headers=headers, timeout=60, **options)


class _FromClient(HTTPAdapter):
    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(CLIENT, 0), **options)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=loopback -addext subjectAltName=IP:127.0.0.1 -keyout {path}.key -out {path}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".pem.key").read_text())
    return path


@pytest.fixture(scope="module", params=PROGRAMS)
def visitor(request, start_relay, certificate, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    relay = start_relay(TRUSTED_PROXIES="127.0.0.1")
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    upstream = relay.url.removeprefix("http://")
    command = PROGRAMS[request.param](folder, port=port, upstream=upstream, certificate=certificate)
    with running(command, port=port, log=folder / "output"):
        yield Visitor(f"https://127.0.0.1:{port}", relay, certificate)


def test_a_stream_arrives_while_the_upstream_is_still_writing(visitor):
    with visitor.ask("[[behave stalled after=3]]", stream=True) as answer:
        arrived, pieces = b"", answer.iter_content(None)
        while b"output_text.delta" not in arrived:
            arrived += next(pieces)
        call = visitor.relay.sandbox.requests.to("/codex/responses")[-1]
        assert call.closed_at is None

    assert visitor.relay.sandbox.requests.wait_closed(call), "the relay learns that nobody listens"


def test_the_relay_sees_the_client_s_own_address(visitor):
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Request-Id": f"from-{CLIENT}"}
    assert visitor.session.get(f"{visitor.url}/v1/models", headers=headers).ok

    visitor.relay.await_log(f"id=from-{CLIENT} ")
    line = next(x for x in visitor.relay.log().splitlines() if f"id=from-{CLIENT} " in x)
    assert f"client={CLIENT} " in line


def test_a_large_request_passes(visitor):
    assert visitor.ask("x" * 8_000_000).status_code == 200


def test_a_large_request_with_a_wrong_token_is_told_so(visitor):
    answer = visitor.ask("x" * 8_000_000, token="wrong-wrong-wrong-wrong")

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_realtime_conversation_passes(visitor):
    trusted = ssl.create_default_context(cafile=visitor.session.verify)
    url = f"{visitor.url.replace('https', 'wss')}/v1/realtime?model=box/sandbox-small"
    headers = {"Authorization": f"Bearer {TOKEN}"}

    with connect(url, ssl=trusted, additional_headers=headers, open_timeout=60) as conversation:
        assert json.loads(conversation.recv(60))["type"] == "session.created"


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_finds_nothing_to_warn_of(certificate, tmp_path):
    command = nginx_files(tmp_path, port=8443, upstream="127.0.0.1:8080", certificate=certificate)
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=True)
    assert "[" not in done.stderr, done.stderr


def test_both_let_the_relay_refuse_what_is_too_large():
    limit = load_settings(environ={"HOME": "/nonexistent"}).server.max_body_bytes
    for name, pattern in (
        ("nginx.conf.example", r"client_max_body_size (\d+)m;"),
        ("Caddyfile.example", r"max_size (\d+)MiB"),
    ):
        allowed = re.search(pattern, (ROOT / "config" / name).read_text())
        assert allowed
        assert int(allowed[1]) * 2**20 > limit
