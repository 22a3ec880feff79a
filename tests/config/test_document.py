"""The documentation and the example file say what the table says: all of it, and nothing else."""

import re
from pathlib import Path

import pytest

from airelays_app.config import Settings, settings_from
from airelays_app.config.document import replaced, settings_rst, toml_text, write_files
from airelays_app.config.sections import Provider
from airelays_app.config.settings import TABLE, provider_settings
from airelays_app.config.showing import variable_of
from airelays_app.config.toml_document import parse_document
from airelays_app.errors import ConfigError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/configuration.rst"
EXAMPLE = ROOT / "config/airelays.example.toml"
SETTING_LINE = re.compile(r"^# (\[[\w.]+\]|\w+ = .*)$", re.MULTILINE)
STALE = "run: python -m airelays_app.config.document"


def loaded(text: str, home: Path) -> Settings:
    document = parse_document(text, path=home / "config.toml")
    return settings_from(document, environ={"HOME": str(home)})


def sections(settings: Settings) -> dict[str, object]:
    apart = {"config_path", "config_exists", "sources", "providers"}
    return {name: getattr(settings, name) for name in Settings.__slots__ if name not in apart}


def test_the_page_is_up_to_date():
    page = PAGE.read_text()
    assert page == replaced(page, settings_rst()), STALE


def test_the_example_is_up_to_date():
    assert EXAMPLE.read_text() == toml_text(), STALE


@pytest.mark.parametrize("setting", [*TABLE, *provider_settings("NAME")], ids=lambda row: row.key)
def test_every_setting_is_documented(setting):
    entry = PAGE.read_text().partition(f"\n``{setting.key}``\n")[2].partition("\n``")[0]
    assert f"``{variable_of(setting)}``" in entry
    assert setting.row.help.split()[-1] in entry


def test_the_example_as_it_is_sets_nothing(tmp_path):
    settings = loaded(EXAMPLE.read_text(), tmp_path)
    assert {source.kind for source in settings.sources.values()} == {"default"}


def test_the_example_with_every_line_uncommented_is_the_defaults(tmp_path):
    text = SETTING_LINE.sub(r"\1", EXAMPLE.read_text())
    with pytest.raises(ConfigError, match=r"providers\.box\.base_url must be set"):
        loaded(text, tmp_path)
    own, _, provider = text.partition("[providers.box]")
    settings = loaded(own, tmp_path)
    assert sections(settings) == sections(loaded("", tmp_path))
    in_file = {setting.key for setting in TABLE if setting.row.in_file}
    assert in_file == {key for key, source in settings.sources.items() if source.kind == "file"}
    address = provider.replace('base_url = ""', 'base_url = "http://box"')
    box = loaded(f"[providers.box]{address}", tmp_path).providers["box"]
    assert box == Provider(name="box", base_url="http://box")


def test_given_values_are_set_and_the_rest_stays_commented(tmp_path):
    values = {
        "server.port": 9000,
        "paths.data_dir": '/tmp/a "b"\\c',
        "security.cors_origins": ["*"],
    }
    settings = loaded(toml_text(values), tmp_path)
    assert settings.server.port == 9000
    assert settings.paths.data_dir == Path('/tmp/a "b"\\c')
    in_file = {key for key, source in settings.sources.items() if source.kind == "file"}
    assert in_file == set(values)


def test_the_generator_brings_stale_files_up_to_date(tmp_path):
    for original in (PAGE, EXAMPLE):
        copy = tmp_path / original.relative_to(ROOT)
        copy.parent.mkdir()
        copy.write_text(original.read_text().replace("Processes that answer", "Stale"))
    write_files(tmp_path)
    assert (tmp_path / "docs/configuration.rst").read_text() == PAGE.read_text()
    assert (tmp_path / "config/airelays.example.toml").read_text() == EXAMPLE.read_text()
