"""State of the earlier singular name keeps working, and so do the files that versions wrote.

Today's places win as soon as they exist. A setting that no longer exists may stay where it
changes nothing and is refused, with what to do instead, where it would.
"""

import pytest

from airelays_app.config import load_settings
from airelays_app.config.sections import Upstream
from airelays_app.errors import ConfigError

WRITTEN_BY_0_2_4 = """
[server]
host = "127.0.0.1"
port = 8181
[paths]
data_dir = "~/.airelays"
logs_dir = "~/.airelays/logs"
[auth]
storage = "auto"
browser_open = false
login_timeout_seconds = 900
[upstream]
base_url = "https://chatgpt.com/backend-api/codex"
issuer_base_url = "https://auth.openai.com"
client_id = "app_EMoamEEZ73f0CkXaXp7hrann"
client_version = "0.124.0"
request_timeout_seconds = 120
[security]
require_bearer_auth = true
bearer_token_file = "~/.airelays/relay-token"
auto_generate_bearer_token = false
rate_limit_per_minute = 120
rate_limit_burst = 40
concurrent_requests_per_ip = 8
failed_auth_window_seconds = 300
failed_auth_max_attempts = 8
failed_auth_block_seconds = 900
trust_x_forwarded_for = false
[uploads]
max_upload_bytes = 33554432
max_total_upload_bytes = 268435456
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def load(home, **environ):
    return load_settings(environ={"HOME": str(home), **environ})


def test_a_file_of_the_reference_is_read(tmp_path):
    write(tmp_path / ".config/airelays/config.toml", WRITTEN_BY_0_2_4)
    settings = load(tmp_path)
    assert settings.server.port == 8181
    assert settings.upstream.request_timeout_seconds == 120


def test_the_client_version_it_froze_into_the_file_means_the_default(tmp_path):
    write(tmp_path / ".config/airelays/config.toml", WRITTEN_BY_0_2_4)
    assert load(tmp_path).upstream.client_version == Upstream().client_version


def test_earlier_places_are_used_while_todays_do_not_exist(tmp_path):
    write(tmp_path / ".config/airelay/config.toml", "[server]\nport = 1\n")
    (tmp_path / ".airelay").mkdir()
    settings = load(tmp_path)
    assert settings.server.port == 1
    assert settings.paths.data_dir == tmp_path / ".airelay"
    assert settings.security.bearer_token_file == tmp_path / ".airelay/relay-token"


def test_todays_places_win_once_they_exist(tmp_path):
    write(tmp_path / ".config/airelay/config.toml", "[server]\nport = 1\n")
    write(tmp_path / ".config/airelays/config.toml", "[server]\nport = 2\n")
    (tmp_path / ".airelay").mkdir()
    (tmp_path / ".airelays").mkdir()
    settings = load(tmp_path)
    assert settings.server.port == 2
    assert settings.paths.data_dir == tmp_path / ".airelays"


def test_the_earlier_variable_names_the_file(tmp_path):
    write(tmp_path / "c.toml", "[server]\nport = 3\n")
    assert load(tmp_path, AIRELAY_CONFIG=str(tmp_path / "c.toml")).server.port == 3


def test_believing_every_forwarded_address_is_refused_with_the_way_out(tmp_path):
    write(
        tmp_path / ".config/airelays/config.toml",
        "[security]\ntrust_x_forwarded_for = true\n",
    )
    with pytest.raises(ConfigError, match=r"security\.trusted_proxies"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="AIRELAYS_TRUST_X_FORWARDED_FOR"):
        load(tmp_path, AIRELAYS_TRUST_X_FORWARDED_FOR="true")


@pytest.mark.parametrize("value", ["false", "0", "off"])
def test_not_believing_it_may_stay(tmp_path, value):
    assert load(tmp_path, AIRELAY_TRUST_X_FORWARDED_FOR=value).security.trusted_proxies == ()


def test_provider_tables_of_0_22_may_stay_where_they_say_its_defaults(tmp_path):
    write(
        tmp_path / ".config/airelays/config.toml",
        "[providers.openai]\nenabled = true\nretry_backoff_seconds = [5, 20, 60]\n"
        "[providers.claude]\nbin = 'claude'\n",
    )
    assert load(tmp_path).providers == {}


def test_what_they_said_beyond_that_is_refused_with_todays_name(tmp_path):
    write(
        tmp_path / ".config/airelays/config.toml",
        "[providers.openai]\nmodels_cache_ttl_seconds = 60\n",
    )
    with pytest.raises(ConfigError, match=r"is now models\.cache_ttl_seconds"):
        load(tmp_path)


def test_a_provider_of_ones_own_may_be_called_the_same(tmp_path):
    write(
        tmp_path / ".config/airelays/config.toml",
        "[providers.openai]\nbase_url = 'https://api.openai.com/v1'\nenabled = true\n",
    )
    assert load(tmp_path).providers["openai"].kind == "openai"


def test_a_network_scope_is_never_dropped_silently(tmp_path):
    with pytest.raises(ConfigError, match=r"server\.host"):
        load(tmp_path, AIRELAYS_NETWORK_SCOPE="loopback")
