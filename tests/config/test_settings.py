"""The table is sound: each field is a row, each default obeys its row, no two share a variable."""

from dataclasses import fields

import pytest

from airelays_app.config.sections import Provider
from airelays_app.config.settings import SECTIONS, TABLE, Settings, provider_settings

ROWS = [*TABLE, *provider_settings("name")]


def test_every_field_of_every_section_is_a_row():
    declared = [f"{name}.{field.name}" for name, kind in SECTIONS.items() for field in fields(kind)]
    assert [setting.key for setting in TABLE] == declared
    rows = {setting.name for setting in provider_settings("name")}
    assert {field.name for field in fields(Provider)} - rows == {"name"}


def test_every_section_is_part_of_the_settings():
    assert set(SECTIONS) <= {field.name for field in fields(Settings)}


def test_no_two_settings_share_a_variable_or_a_flag():
    for names in (
        [setting.env for setting in TABLE],
        [setting.row.flag for setting in TABLE if setting.row.flag],
    ):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("setting", ROWS, ids=lambda setting: setting.key)
def test_a_default_is_a_value_its_own_row_accepts(setting):
    assert setting.from_object(setting.default) == setting.default


@pytest.mark.parametrize("setting", ROWS, ids=lambda setting: setting.key)
def test_the_help_is_one_to_three_sentences(setting):
    assert setting.row.help.endswith(".")
    assert 20 < len(setting.row.help) < 260
