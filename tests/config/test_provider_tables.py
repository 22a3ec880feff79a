"""Providers are tables of the file, each setting of which a variable can override or supply."""

import pytest

from airelays_app.config import Settings, load_settings
from airelays_app.errors import ConfigError

BOX = "[providers.my-box]\nbase_url = 'http://box:11434/v1'\n"


def load(tmp_path, text: str = "", flags=None, **environ: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load_settings(flags or {}, environ={"HOME": str(tmp_path), **environ}, config_path=path)


def refusal(tmp_path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **environ)
    return str(caught.value)


def test_a_table_of_the_file(tmp_path):
    provider = load(
        tmp_path, BOX + "models = ['a', 'b']\nheaders = { X-Team = 'home' }\ndialects = ['chat']\n"
    ).providers["my-box"]
    assert provider.kind == "compatible"
    assert provider.models == ("a", "b")
    assert dict(provider.headers) == {"X-Team": "home"}
    assert provider.dialects == ("chat",)


def test_a_variable_adds_to_the_table_whose_name_it_spells(tmp_path):
    settings = load(tmp_path, BOX, AIRELAYS_PROVIDERS_MY_BOX_API_KEY="k" * 20)
    assert settings.providers["my-box"].api_key == "k" * 20
    assert list(settings.providers) == ["my-box"]
    source = settings.sources["providers.my-box.api_key"]
    assert str(source) == "environment AIRELAYS_PROVIDERS_MY_BOX_API_KEY"


def test_variables_alone_make_a_provider(tmp_path):
    settings = load(tmp_path, AIRELAYS_PROVIDERS_NAS_BASE_URL="http://nas/v1")
    assert settings.providers["nas"].base_url == "http://nas/v1"


def test_the_longer_ending_of_a_variable_wins(tmp_path):
    settings = load(tmp_path, BOX, AIRELAYS_PROVIDERS_MY_BOX_API_KEY_ENV="OTHER", OTHER="key")
    assert settings.providers["my-box"].api_key_env == "OTHER"
    assert settings.providers["my-box"].api_key == "key"


def test_callers_can_make_a_provider(tmp_path):
    flags = {"providers.local.enabled": True, "routing.default_provider": "local"}
    assert load(tmp_path, flags=flags).providers["local"].kind == "local"


def test_a_provider_named_like_its_kind_needs_no_kind(tmp_path):
    assert load(tmp_path, "[providers.local]\nenabled = true\n").providers["local"].kind == "local"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[providers.box]\nkind = 'magic'\nbase_url = 'http://x'\n", "providers.box.kind must be"),
        ("[providers.box]\n", "providers.box.base_url must be set"),
        ("[providers.box]\nbase_url = 'http://me:pw@x'\n", "must not hold a user name"),
        ("[providers.box]\nbase_url = 'http://x'\napi_key_env = 'UNSET_KEY'\n", "UNSET_KEY"),
        ("[providers.box]\nbase_url = 'http://x'\ndialects = ['gopher']\n", "responses, chat"),
        ("[providers.box]\nbase_url = 'http://x'\nheaders = { 'a b' = 'c' }\n", "header name"),
        ("[providers.box]\nbase_url = 'http://x'\nbase_ulr = 'y'\n", "providers.box.base_url?"),
        ("[providers.v1]\nbase_url = 'http://x'\n", "reserved"),
        ("[providers.'My Box']\nbase_url = 'http://x'\n", "lower-case"),
        ("[providers]\nbox = 1\n", "providers.box must be a table"),
        ("providers = 1\n", "providers must be tables"),
    ],
)
def test_a_bad_table_is_named(tmp_path, text, complaint):
    assert complaint in refusal(tmp_path, text)


def test_a_key_in_a_message_is_never_the_key_itself(tmp_path):
    secret = "planted sécret"
    assert "planted" not in refusal(tmp_path, BOX, AIRELAYS_PROVIDERS_MY_BOX_API_KEY=secret)


def test_a_reserved_name_from_a_variable_is_one_problem(tmp_path):
    message = refusal(tmp_path, "", AIRELAYS_PROVIDERS_ADMIN_BASE_URL="http://x")
    assert message == "providers.admin is a reserved word and cannot name a provider"


def test_an_unknown_variable_of_a_provider_is_refused(tmp_path):
    assert "AIRELAYS_PROVIDERS_MY_BOX_COLOUR" in refusal(
        tmp_path, BOX, AIRELAYS_PROVIDERS_MY_BOX_COLOUR="red"
    )


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("codex", "api_key = 'secret'"),
        ("codex", "dialects = ['chat']"),
        ("local", "models = ['m']"),
    ],
)
def test_what_a_kind_cannot_be_told_is_refused(tmp_path, kind, setting):
    said = refusal(tmp_path, f"[providers.{kind}]\n{setting}\n")

    assert f"providers.{kind}.{setting.split()[0]} has no effect" in said


@pytest.mark.parametrize("table", ["upstream", "providers.my-box"])
def test_authorities_that_cannot_be_read_are_refused(tmp_path, table):
    text = BOX if table != "upstream" else "[upstream]\n"
    said = refusal(tmp_path, text + "ca_bundle = 'missing.pem'\n")

    assert f"{table}.ca_bundle" in said
    assert str(tmp_path / "missing.pem") in said
