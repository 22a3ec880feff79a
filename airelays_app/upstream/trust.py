"""Whom TLS connections to upstreams trust."""

import ssl
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from airelays_app.errors import UpstreamUnreachable


def tls_context(*ca_bundles: str) -> ssl.SSLContext:
    """Return the TLS settings: the public authorities that requests ships, and ``ca_bundles``'.

    Each is a PEM file or a directory of hashed certificates, trusted in addition. Raises
    UpstreamUnreachable if one cannot be read.
    """
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    for bundle in ca_bundles:
        is_directory = Path(bundle).is_dir()
        try:
            context.load_verify_locations(
                cafile=None if is_directory else bundle, capath=bundle if is_directory else None
            )
        except OSError:
            raise UpstreamUnreachable(
                "The setting ca_bundle, of upstream or of the provider, must name a readable file "
                "of PEM certificates."
            ) from None
    return context
