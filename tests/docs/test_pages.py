"""Every page parses without a complaint, links only to what exists, and shows commands that do."""

import fnmatch
import re
import shlex

import click
import pytest

from airelays_app.cli import airelays
from airelays_app.config import settings_from
from airelays_app.config.retired import RETIRED
from airelays_app.config.settings import SECTIONS, TABLE, provider_settings
from airelays_app.config.toml_document import parse_document
from tests.docs import pages

SETTINGS = [*RETIRED, *(row.key for row in (*TABLE, *provider_settings("NAME")))]
_SETTING = re.compile(rf"({'|'.join(SECTIONS)}|providers\.NAME)\.(?!json)[a-z_*]+( |$)")
_PLACEHOLDER = re.compile(r"\[?[A-Z]+\]?")


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_page_parses(name):
    assert pages.read(name)[1] == ""


@pytest.mark.parametrize("name", pages.NAMES)
def test_its_links_lead_somewhere(name):
    folder = (pages.ROOT / name).parent
    for link in pages.links(name):
        if "://" in link:
            continue
        path, _, place = link.partition("#")
        target = folder / path if path else pages.ROOT / name
        assert target.exists(), link
        if place:
            found = pages.read(str(target.resolve().relative_to(pages.ROOT)))[0]
            assert place in found.ids, link


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_settings_that_it_names_exist(name):
    named = {text.partition(" ")[0] for text in pages.literals(name) if _SETTING.match(text)}
    for setting in named:
        assert fnmatch.filter(SETTINGS, setting), setting


CONFIGURATIONS = [
    (block, name)
    for name in pages.NAMES
    for block in pages.blocks(name)
    if re.match(rf"\[({'|'.join(SECTIONS)}|providers)(\.\w+)?\]\n", block)
]


@pytest.mark.parametrize(("block", "name"), CONFIGURATIONS, ids=[n for _, n in CONFIGURATIONS])
def test_the_configuration_that_it_shows_is_right(block, name, tmp_path):
    keys = dict.fromkeys(re.findall(r'api_key_env = "(\w+)"', block), "a key")
    document = parse_document(block, path=tmp_path / "config.toml")

    settings = settings_from(document, environ={"HOME": str(tmp_path), **keys})

    assert any(source.kind == "file" for source in settings.sources.values()), name


SHOWN = sorted({(text, name) for name in pages.NAMES for text in pages.commands(name)})


@pytest.mark.parametrize(("text", "name"), SHOWN, ids=[text for text, _ in SHOWN])
def test_the_command_exists(text, name):
    found, words = resolved(text)
    known = {option for each in found.params for option in (*each.opts, *each.secondary_opts)}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in known | {"--help", "-h"}, f"{name}: {text}"
        else:
            is_group = isinstance(found, click.Group)
            assert not is_group or _PLACEHOLDER.fullmatch(word), f"{name}: {text}"


def resolved(text):
    """Return the command that ``text`` calls, and the words behind its name."""
    found, words = airelays, shlex.split(text.partition(" #")[0])[1:]
    while isinstance(found, click.Group):
        name = next((word for word in words if not word.startswith("-")), None)
        inner = found.get_command(click.Context(found), name) if name else None
        if inner is None:
            break
        words.remove(name)
        found = inner
    return found, words
