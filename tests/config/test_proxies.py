"""The environment's proxies are settled once, when settings are loaded; loopback has none."""

from airelays_app.config import load_settings
from airelays_app.config.proxies import no_proxy_of, proxies_of


def upstream(tmp_path, **environ):
    return load_settings({"paths.data_dir": tmp_path}, environ=environ).upstream


def test_nothing_set_is_no_proxy(tmp_path):
    assert proxies_of(upstream(tmp_path)) == {}


def test_each_scheme_has_its_own_proxy_and_all_proxy_stands_in(tmp_path):
    found = upstream(tmp_path, https_proxy="http://one:1", ALL_PROXY="two:2")
    assert proxies_of(found) == {"https": "http://one:1", "http": "http://two:2"}


def test_loopback_is_never_proxied(tmp_path):
    found = upstream(tmp_path, NO_PROXY=".lan, 10.0.0.0/8")
    assert no_proxy_of(found) == "localhost,127.0.0.0/8,::1,.lan,10.0.0.0/8"
