"""Every client has a page with what ``connect`` prints for it, and with what was tried."""

import pytest

from airelays_app.cli.clients import CLIENTS
from airelays_app.config.document import replaced
from tests.clients.pages import BEGIN, END, EXAMPLE, FOLDER, INDEX, page_rst, table_rst
from tests.clients.tried import TRIED
from tests.docs import pages

STALE = "run: python -m tests.clients.pages"
TESTS = FOLDER.parents[1] / "tests/clients"


def test_every_client_has_a_page():
    assert {path.stem for path in FOLDER.glob("*.rst")} == {*CLIENTS, "index"}


def test_the_table_of_clients_is_up_to_date():
    page = INDEX.read_text()
    assert page == replaced(page, table_rst(), begin=BEGIN, end=END), STALE


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_the_page_is_up_to_date(client):
    assert (FOLDER / f"{client.slug}.rst").read_text() == page_rst(client), STALE


@pytest.mark.parametrize("slug", CLIENTS)
def test_the_page_has_the_settings_that_connect_prints(command, slug):
    words = ("connect", slug, "--model", EXAMPLE.model)
    printed = command.json(*words, AIRELAYS_PUBLIC_URL=EXAMPLE.root_url)["clients"][0]

    shown = pages.blocks(f"docs/clients/{slug}.rst")

    assert shown == [step["text"].rstrip() for step in printed["steps"]]


@pytest.mark.parametrize(("slug", "tried"), TRIED.items(), ids=TRIED)
def test_what_is_said_to_be_tried_is_a_test(slug, tried):
    assert f'"{slug}"' in (TESTS / tried.test).read_text()
    assert len({upstream.model for upstream in tried.upstreams}) >= 2
