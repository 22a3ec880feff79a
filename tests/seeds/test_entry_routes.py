"""The page at the door: ``/`` and what it loads, and an icon that is none. Nobody needs a key."""

import re

import pytest


@pytest.fixture(scope="module")
def module_relay(gateway):
    return gateway


def test_the_page_and_everything_it_loads(relay):
    page = relay.get("/", token=None)

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    loaded = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text))
    assert loaded
    for path in loaded:
        assert relay.get(path, token=None).status_code == 200


def test_an_asset_that_there_is_not(relay):
    answer = relay.get("/assets/none.css", token=None)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_the_icon_is_no_content(relay):
    answer = relay.get("/favicon.ico", token=None)

    assert (answer.status_code, answer.content) == (204, b"")
