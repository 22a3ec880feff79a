"""Settings come from flags, then AIRELAYS_*, AIRELAY_*, OPENAI_ENDPOINT_*, the file, the default.

What is empty in the environment is unset; what is unknown or malformed anywhere is an error that
names it, says where it stands and offers the nearest right name; all errors are told at once.
"""

from pathlib import Path

import pytest

from airelays_app.config import Settings, load_settings
from airelays_app.config.locations import PREFIXES
from airelays_app.config.settings import TABLE
from airelays_app.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def write_config(home: Path, text: str, folder: str = ".config/airelays") -> Path:
    path = home / folder / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(home: Path, flags=None, **environ: str) -> Settings:
    return load_settings(flags or {}, environ={"HOME": str(home), **environ})


def refusal(home: Path, flags=None, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(home, flags, **environ)
    return str(caught.value)


def test_defaults_hold_without_any_file(home):
    settings = load(home)
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.paths.data_dir == home / ".airelays"
    assert settings.paths.logs_dir == home / ".airelays/logs"
    assert settings.security.bearer_token_file == home / ".airelays/relay-token"
    assert settings.upstream.request_timeout_seconds == 600
    assert settings.security.concurrent_requests_per_ip == 50
    assert settings.config_path == home / ".config/airelays/config.toml"
    assert not settings.config_exists
    assert {str(source) for source in settings.sources.values()} == {"default"}


def test_each_origin_wins_over_the_next_one(home):
    write_config(home, "[server]\nport = 1\n")
    origins = {f"{prefix}PORT": str(port) for port, prefix in zip((4, 3, 2), PREFIXES, strict=True)}
    assert load(home, {"server.port": 5}, **origins).server.port == 5
    for expected in (4, 3, 2):
        settings = load(home, **origins)
        assert settings.server.port == expected
        assert str(settings.sources["server.port"]) == f"environment {next(iter(origins))}"
        origins.pop(next(iter(origins)))
    settings = load(home)
    assert settings.server.port == 1
    assert settings.sources["server.port"].kind == "file"


def test_a_flag_that_was_not_given_and_an_empty_variable_are_unset(home):
    settings = load(home, {"server.port": None}, AIRELAYS_PORT="", AIRELAYS_CONFIG="")
    assert settings.server.port == 8080


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.key)
def test_every_setting_is_refused_by_name_when_the_file_has_nonsense(home, setting):
    write_config(home, f"[{setting.section}]\n{setting.name} = 1979-05-27\n")
    message = refusal(home)
    assert setting.key in message
    assert "config.toml" in message


@pytest.mark.parametrize("text", ["true", "1", "YES", "on"])
def test_words_for_true(home, text):
    assert load(home, AIRELAYS_BROWSER_OPEN=text).auth.browser_open is True


@pytest.mark.parametrize("text", ["false", "0", "No", "OFF"])
def test_words_for_false(home, text):
    assert load(home, AIRELAYS_REQUIRE_BEARER_AUTH=text).security.require_bearer_auth is False


@pytest.mark.parametrize(
    ("variable", "text", "complaint"),
    [
        ("REQUIRE_BEARER_AUTH", "maybe", "true or false"),
        ("PORT", "eighty", "whole number"),
        ("PORT", "65536", "at most 65535"),
        ("PORT", "-1", "at least 0"),
        ("PORT", "8080.0", "whole number"),
        ("PORT", "٨", "whole number"),
        ("REQUEST_TIMEOUT_SECONDS", "nan", "number"),
        ("REQUEST_TIMEOUT_SECONDS", "inf", "number"),
        ("COMPAT_TOKEN_LIMITS", "allow", "one of reject, ignore, forward"),
        ("UPSTREAM_BASE_URL", "chatgpt.com", "http://"),
        ("UPSTREAM_BASE_URL", "http://host:port", "not a URL"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,everyone", "everyone"),
        ("CORS_ORIGINS", "https://a.example/path", "a.example"),
        ("ALLOWED_HOSTS", "relay.lan,a b", "a b"),
        ("BEARER_TOKEN", "short", "16 to 4096"),
        ("MODELS_ALIASES", "gpt-4o", "name=value"),
        ("MODELS_ALIASES", "{bad", "JSON"),
        ("HOST", "not a host", "address or a host name"),
        ("LOG_LEVEL", "a\x07b", "one of"),
        ("CLIENT_ID", "a\nb", "control characters"),
    ],
)
def test_a_bad_variable_is_named_with_what_it_must_be(home, variable, text, complaint):
    message = refusal(home, **{f"AIRELAYS_{variable}": text})
    assert f"AIRELAYS_{variable}" in message
    assert complaint in message


def test_values_that_may_be_secret_are_not_repeated(home):
    message = refusal(home, AIRELAYS_BEARER_TOKEN="hunter2 hunter2 hunter2")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("[server]\nprot = 1", "server.prot", "server.port"),
        ("[server]\ndata_dir = '/x'", "server.data_dir", "paths.data_dir"),
        ("[sever]\nport = 1", "[sever]", "server"),
        ("port = 1", "port", "server.port"),
        ("[routing]\ndefault_provider = 'codx'", "routing.default_provider", "codex"),
        ("[providers.box]\nbase_ulr = 'http://x'", "providers.box.base_ulr", "box.base_url"),
    ],
)
def test_an_unknown_name_in_the_file_gets_the_nearest_right_one(home, text, wrong, right):
    message = refusal_of_file(home, text)
    assert wrong in message
    assert f"Did you mean {right}?" in message or f".{right}?" in message


def refusal_of_file(home: Path, text: str) -> str:
    write_config(home, text)
    return refusal(home)


def test_an_unknown_variable_gets_the_nearest_right_one(home):
    assert "Did you mean AIRELAYS_PORT?" in refusal(home, AIRELAYS_PROT="1")
    assert "Did you mean AIRELAY_PORT?" in refusal(home, AIRELAY_PROT="1")


def test_an_unknown_flag_is_refused(home):
    assert "Did you mean server.port?" in refusal(home, {"server.prot": 1})


def test_all_problems_are_told_at_once(home):
    write_config(home, "[server]\nprot = 1\nstreams = 'many'\n")
    message = refusal(home, AIRELAYS_PORT="x")
    assert all(name in message for name in ("server.prot", "server.streams", "AIRELAYS_PORT"))


def test_a_broken_file_is_an_error_that_names_it(home):
    assert "config.toml" in refusal_of_file(home, "[server\n")
    (home / ".config/airelays/config.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refusal(home)


def test_a_file_with_a_byte_order_mark_is_read(home):
    path = write_config(home, "")
    path.write_bytes(b"\xef\xbb\xbf[server]\nport = 9\n")
    assert load(home).server.port == 9


def test_a_file_that_was_asked_for_must_exist(home):
    missing = home / "other.toml"
    assert "other.toml" in refusal(home, AIRELAYS_CONFIG=str(missing))
    with pytest.raises(ConfigError, match=r"other\.toml"):
        load_settings(environ={"HOME": str(home)}, config_path=missing)


def test_a_file_that_was_asked_for_is_read(home):
    other = write_config(home, "[server]\nport = 7\n", folder="elsewhere")
    assert load(home, AIRELAYS_CONFIG=str(other)).server.port == 7
    by_argument = load_settings(environ={"HOME": str(home)}, config_path=other)
    assert by_argument.server.port == 7
    assert by_argument.config_path == other


def test_without_a_home_folder_only_the_data_dir_is_missing(tmp_path):
    with pytest.raises(ConfigError, match="HOME is not set") as caught:
        load_settings(environ={"HOME": ""})
    assert "AIRELAYS_DATA_DIR" in str(caught.value)
    settings = load_settings({"paths.data_dir": str(tmp_path)}, environ={})
    assert settings.paths.logs_dir == tmp_path / "logs"
    assert settings.config_path is None


def test_paths_are_expanded_and_made_absolute(home):
    path = write_config(home, "[paths]\ndata_dir = '~/state'\nlogs_dir = 'logs'\n")
    settings = load(home)
    assert settings.paths.data_dir == home / "state"
    assert settings.paths.logs_dir == path.parent / "logs"
    given = load(home, {"paths.data_dir": "here"})
    assert given.paths.data_dir == Path.cwd() / "here"
    assert given.security.bearer_token_file == Path.cwd() / "here/relay-token"


def test_a_file_may_refer_to_the_data_dir(home):
    write_config(home, "[paths]\ndata_dir = '/srv/x'\nlogs_dir = '<data_dir>/l'\n")
    assert load(home).paths.logs_dir == Path("/srv/x/l")


def test_lists_and_tables_from_the_environment(home):
    settings = load(
        home,
        AIRELAYS_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8, unix",
        AIRELAYS_ALLOWED_HOSTS='["relay.lan"]',
        AIRELAYS_MODELS_ALIASES="gpt-4o=gpt-5.5, small=local/smollm2",
    )
    assert settings.security.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "unix")
    assert settings.security.allowed_hosts == ("relay.lan",)
    assert dict(settings.models.aliases) == {"gpt-4o": "gpt-5.5", "small": "local/smollm2"}


def test_an_origin_may_be_that_of_an_application_or_of_an_extension(home):
    origins = ("https://app.example:8443", "tauri://localhost", "chrome-extension://abcdef")
    assert load(home, AIRELAYS_CORS_ORIGINS=",".join(origins)).security.cors_origins == origins


def test_variables_of_the_wider_world_come_after_the_file(home):
    authorities = home / "ca.pem"
    authorities.touch()
    world = {"HTTPS_PROXY": "http://world:1", "SSL_CERT_FILE": str(authorities)}
    settings = load(home, **world)
    assert settings.upstream.https_proxy == "http://world:1"
    assert settings.upstream.ca_bundle == authorities
    write_config(home, "[upstream]\nhttps_proxy = ''\n")
    assert load(home, **world).upstream.https_proxy == ""


def test_a_switch_with_three_positions_takes_a_toml_boolean(home):
    write_config(home, "[local]\nenabled = false\n")
    assert load(home).local.enabled == "false"
    assert load(home, AIRELAYS_LOCAL_ENABLED="on").local.enabled == "true"


def test_contradictions_are_refused(home):
    assert "uploads.max_upload_bytes" in refusal(home, AIRELAYS_MAX_TOTAL_UPLOAD_BYTES="5")


def test_the_token_of_the_environment_does_not_belong_in_the_file(home):
    message = refusal_of_file(home, "[security]\nbearer_token = 'x'\n")
    assert "AIRELAYS_BEARER_TOKEN" in message


def test_secrets_are_not_in_the_text_form_of_the_settings(home):
    secret = "planted-secret-planted"
    settings = load(
        home,
        AIRELAYS_BEARER_TOKEN=secret,
        AIRELAYS_PROVIDERS_BOX_BASE_URL="http://box/v1",
        AIRELAYS_PROVIDERS_BOX_API_KEY=secret,
        AIRELAYS_PROVIDERS_BOX_HEADERS=f"x-key={secret}",
        HTTPS_PROXY=f"http://me:{secret}@proxy:1",
    )
    assert settings.providers["box"].api_key == secret
    assert secret not in repr(settings)
