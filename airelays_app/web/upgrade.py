"""What a client says about the protocol that it wants to go on with (RFC 9110, 7.8)."""

from collections.abc import Mapping
from typing import Any

UPGRADE_KEY = "airelays.upgrade"
"""Where the WSGI environment has the protocol's name once the routing has been spared of it."""


def asks_for_websocket(environ: Mapping[str, Any]) -> bool:
    """Tell whether the request is the beginning of a WebSocket."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ.get(UPGRADE_KEY, "").lower() == "websocket"
        and "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    )
