"""Settings are shown with their origin; secrets and the users in URLs are not shown."""

import json

from airelays_app.config import load_settings
from airelays_app.config.settings import TABLE, provider_settings
from airelays_app.config.showing import shown_settings

SECRET = "planted-secret-planted"


def shown(tmp_path, **environ):
    settings = load_settings({"paths.data_dir": tmp_path}, environ=environ)
    return {entry.key: entry for entry in shown_settings(settings)}


def test_every_setting_is_shown_with_its_origin(tmp_path):
    entries = shown(tmp_path, AIRELAYS_PORT="9")
    assert list(entries) == [setting.key for setting in TABLE]
    assert (entries["server.port"].value, entries["server.port"].source) == (
        9,
        "environment AIRELAYS_PORT",
    )
    assert entries["paths.data_dir"].source == "flag --data-dir"
    assert entries["server.host"].source == "default"
    assert not entries["server.host"].reload


def test_providers_are_shown(tmp_path):
    entries = shown(tmp_path, AIRELAYS_PROVIDERS_MY_BOX_BASE_URL="http://box/v1")
    assert {row.key for row in provider_settings("my-box")} <= set(entries)
    assert entries["providers.my-box.api_key"].variable == "AIRELAYS_PROVIDERS_MY_BOX_API_KEY"


def test_no_secret_is_shown(tmp_path):
    entries = shown(
        tmp_path,
        AIRELAYS_BEARER_TOKEN=SECRET,
        AIRELAYS_PROVIDERS_BOX_BASE_URL="http://box/v1",
        AIRELAYS_PROVIDERS_BOX_API_KEY=SECRET,
        AIRELAYS_PROVIDERS_BOX_HEADERS=f"x-key={SECRET}",
        HTTPS_PROXY=f"me:{SECRET}@proxy:3128",
    )
    text = json.dumps([entry.value for entry in entries.values()])
    assert SECRET not in text
    assert entries["security.bearer_token"].value == "(hidden)"
    assert entries["providers.box.headers"].value == {"x-key": "(hidden)"}
    assert entries["upstream.https_proxy"].value == "(hidden)@proxy:3128"


def test_a_secret_that_is_not_set_is_shown_as_not_set(tmp_path):
    assert shown(tmp_path)["security.bearer_token"].value == ""
