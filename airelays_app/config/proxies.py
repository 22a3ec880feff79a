"""The proxies for upstream calls, as the HTTP client takes them.

The environment's proxy variables were taken into the settings when those were loaded, so that a
later change of the environment, or a library that reads it by itself, makes no difference.
"""

from collections.abc import Mapping

from airelays_app.config.sections import Upstream

LOOPBACK = ("localhost", "127.0.0.0/8", "::1")
"""What is never reached through a proxy, whatever the settings say."""


def proxies_of(upstream: Upstream) -> Mapping[str, str]:
    """Return the proxy URL for each of the schemes ``http`` and ``https`` that has one."""
    configured = {"http": upstream.http_proxy, "https": upstream.https_proxy}
    return {scheme: _url(proxy) for scheme, proxy in configured.items() if proxy}


def no_proxy_of(upstream: Upstream) -> str:
    """Return what is reached directly, comma separated: loopback and ``upstream.no_proxy``."""
    return ",".join((*LOOPBACK, *upstream.no_proxy))


def _url(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"
