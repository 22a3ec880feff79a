"""``GET /`` tells everybody whether the relay is ready or what to do next, and nothing else."""

import re
from html.parser import HTMLParser

import pytest

from tests.web.status_kit import NO_LOGIN, READY_LOGIN, TOKEN, FakeProvider, status_app

READY = FakeProvider("codex", **READY_LOGIN)


class Page(HTMLParser):
    """What a page says, loads and runs."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.loads = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def page_of(home_folder, provider, *, token=TOKEN, host=None, down=False, **environ):
    with status_app(home_folder, {"codex": provider}, token=token, **environ) as (app, switches):
        switches.storage_down = down
        answer = app.test_client().get("/", headers={"Host": host} if host else {})
    assert answer.status_code == 200
    return Page(answer.text), answer


def test_when_ready_it_says_so_and_how_to_connect(tmp_path):
    page, _ = page_of(tmp_path, READY, host="house.lan:8080")
    assert "AIRelays ready" in page.text
    assert "What to do next" not in page.text
    assert "http://house.lan:8080/v1" in page.text


def test_a_public_url_is_the_address_shown(tmp_path):
    page, _ = page_of(tmp_path, READY, AIRELAYS_PUBLIC_URL="https://ai.house/")
    assert "https://ai.house/v1" in page.text


def test_without_token_and_login_it_says_what_to_do(tmp_path):
    page, _ = page_of(tmp_path, FakeProvider("codex", **NO_LOGIN), token=None)
    assert "not ready yet" in page.text
    assert page.text.index("airelays init") < page.text.index("airelays login")


def test_an_expired_login_is_not_ready(tmp_path):
    """Expired and renewable is ready; the provider decides."""
    page, _ = page_of(tmp_path, FakeProvider("codex", ready=False, problem="refresh_failed"))
    assert "not ready yet" in page.text
    assert "Log in again: airelays login" in page.text


def test_storage_that_is_down_points_to_doctor(tmp_path):
    page, _ = page_of(tmp_path, READY, down=True)
    assert "not ready yet" in page.text
    assert "airelays doctor" in page.text


def test_an_open_relay_says_that_no_token_is_asked_for(tmp_path):
    page, _ = page_of(tmp_path, READY, token=None, AIRELAYS_REQUIRE_BEARER_AUTH="false")
    assert "AIRelays ready" in page.text
    assert "no token is asked for" in page.text


@pytest.mark.parametrize("provider", [READY, FakeProvider("codex", **NO_LOGIN)])
def test_no_path_name_account_or_token_is_shown(tmp_path, provider):
    _, answer = page_of(tmp_path, provider)
    for private in (str(tmp_path), TOKEN, "owner@example.org", "acct-1", "plus"):
        assert private not in answer.text


def test_it_runs_nothing_and_loads_nothing_from_elsewhere(tmp_path):
    page, answer = page_of(tmp_path, READY)
    assert {"script", "style", "iframe", "form"}.isdisjoint(page.tags)
    assert all(address.startswith("/assets/") for address in page.loads)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "host", ['"><script>alert(1)</script>', "a b", "x\"'<b>", "[::1]:80", "ü.example", ""]
)
def test_a_hostile_host_header_cannot_write_into_the_page(tmp_path, host):
    page, _ = page_of(tmp_path, READY, host=host)
    assert "script" not in page.tags
    assert "b" not in page.tags


@pytest.fixture
def client(tmp_path):
    with status_app(tmp_path, {"codex": READY}) as (app, _):
        yield app.test_client()


def test_everything_the_page_loads_is_there(client):
    for address in Page(client.get("/").text).loads:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert client.get("/assets/home.css").mimetype == "text/css"
    assert client.get("/assets/airelays.svg").mimetype == "image/svg+xml"


def test_favicon_is_empty(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    "name", ["missing.css", "..%2fhome.py", "%2e%2e/home.py", "home.css%00", ".", "a/b"]
)
def test_no_other_file_is_served(client, name):
    assert client.get(f"/assets/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/assets/home.css"])
def test_head_works_where_get_does(client, path):
    assert client.head(path).status_code == client.get(path).status_code
