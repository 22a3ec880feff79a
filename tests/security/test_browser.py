"""What a real browser does with the relay: it runs nothing from it and helps no foreign page.

Needs Chromium; without it these tests are skipped.
"""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningRelay, StartRelay

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 90.0

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class ForeignSite:
    """A web site of somebody else: ``pages`` by path, and what its visitors asked it for."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []
        self._change = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.site = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Another site than ``127.0.0.1`` in the eyes of a browser."""
        return f"http://localhost:{self._server.server_address[1]}"

    def note(self, path: str) -> None:
        with self._change:
            self.asked.append(path)
            self._change.notify_all()

    def await_asked(self, beginning: str) -> str:
        """Wait until a path with this beginning was asked for, and return it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [path for path in self.asked if path.startswith(beginning)]
            return bool(found)

        with self._change:
            assert self._change.wait_for(is_there, PATIENCE), self.asked
        return found[0]

    def __enter__(self) -> "ForeignSite":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: ForeignSite = self.server.site  # type: ignore[attr-defined]
        site.note(self.path)
        content = site.pages.get(self.path, "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def site() -> Iterator[ForeignSite]:
    with ForeignSite() as site:
        yield site


@contextmanager
def browser(address: str, profile: Path) -> Iterator[None]:
    """Have the page open for as long as the block."""
    assert CHROMIUM is not None
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
    visitor = subprocess.Popen(
        [CHROMIUM, *flags, f"--user-data-dir={profile}", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(visitor.pid, signal.SIGKILL)
        visitor.wait(PATIENCE)


UPLOADED = "<script>new Image().src = '{site}/{name}'</script>"
EMBEDDING = """<iframe src="{address}"></iframe><script src="{address}"></script>
<script>
  setTimeout(() => {{ location = "{address}" }}, 500);
  setTimeout(() => {{ new Image().src = "/still-here" }}, 2000);
</script>"""


def test_an_uploaded_page_is_downloaded_and_never_run(
    relay: RunningRelay, site: ForeignSite, tmp_path: Path
) -> None:
    page = UPLOADED.format(site=site.url, name="upload-ran")
    form = {"file": ("page.html", page.encode(), "text/html")}
    stored = relay.request("POST", "/v1/files", files=form).json()["id"]
    address = f"{relay.url}/v1/files/{stored}/content?key={relay.token}"
    site.pages["/"] = EMBEDDING.format(address=address)
    with browser(site.url, tmp_path):
        site.await_asked("/still-here")
        relay.await_log(f"path=/v1/files/{stored}/content status=200", 3)
    assert "/upload-ran" not in site.asked


def test_the_same_page_of_another_server_would_be_run(site: ForeignSite, tmp_path: Path) -> None:
    """The browser is one that runs what it gets: the test above could fail."""
    site.pages["/page"] = UPLOADED.format(site=site.url, name="upload-ran")
    site.pages["/"] = EMBEDDING.format(address=f"{site.url}/page")
    with browser(site.url, tmp_path):
        site.await_asked("/upload-ran")


ATTACK = """<script>
const relay = "{relay}", body = '{{"model": "gpt-5.5", "input": "spend"}}', said = new Set();
async function attack() {{
  for (let i = 0; i < 12; i++) {{
    const plain = {{mode: "no-cors"}}, sent = {{...plain, method: "POST", body}};
    await fetch(`${{relay}}/v1/models?key=guess-number-${{i}}`, plain).catch(() => 0);
    await fetch(`${{relay}}/v1/responses`, sent).catch(() => 0);
    await fetch(`${{relay}}/v1/responses`, {{method: "POST", body,
      headers: {{"content-type": "application/json", authorization: "Bearer guess"}}}})
      .then((answer) => said.add(answer.status), () => said.add("blocked"));
    await new Promise((seen) => {{
      const image = new Image();
      image.onload = image.onerror = seen;
      image.src = `${{relay}}/v1/models?image=${{i}}`;
    }});
  }}
  new Image().src = `/said?${{[...said]}}`;
}}
attack();
</script>"""


def test_a_foreign_page_cannot_lock_its_visitor_out(
    relay: RunningRelay, site: ForeignSite, tmp_path: Path
) -> None:
    site.pages["/"] = ATTACK.format(relay=relay.url)
    with browser(site.url, tmp_path):
        assert "429" in site.await_asked("/said")
    assert relay.get("/v1/models").status_code == 200
    assert relay.sandbox.requests.to("/codex/responses") == []


def test_a_foreign_page_gets_nothing_from_an_open_relay(
    start_relay: StartRelay, site: ForeignSite, tmp_path: Path
) -> None:
    relay = start_relay(REQUIRE_BEARER_AUTH="false")
    site.pages["/"] = ATTACK.format(relay=relay.url)
    with browser(site.url, tmp_path):
        assert site.await_asked("/said") == "/said?blocked"
    assert "status=200" not in relay.log()
    assert relay.sandbox.requests.to("/codex/responses") == []


def test_the_status_page_needs_no_script_and_shows_no_secret(
    relay: RunningRelay, tmp_path: Path
) -> None:
    assert CHROMIUM is not None
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}")
    command = [CHROMIUM, *flags, "--virtual-time-budget=5000", "--dump-dom", relay.url]
    page = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    assert "For your clients" in page
    assert "<script" not in page
    assert all(secret not in page for secret in (relay.token, str(relay.home), "owner@"))
