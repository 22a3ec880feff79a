"""Whom TLS connections to upstreams trust."""

import ssl
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from airelays_app.errors import ConfigError


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return the TLS settings: the public authorities that requests ships, and ``ca_bundle``'s.

    ``ca_bundle`` is a PEM file or a directory of hashed certificates, trusted in addition.
    Raises ConfigError if it cannot be read.
    """
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if ca_bundle:
        is_directory = Path(ca_bundle).is_dir()
        try:
            context.load_verify_locations(
                cafile=None if is_directory else ca_bundle,
                capath=ca_bundle if is_directory else None,
            )
        except OSError:
            raise ConfigError(
                "upstream.ca_bundle must name a readable file of PEM certificates."
            ) from None
    return context
