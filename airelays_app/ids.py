"""Identifiers that AIRelays makes itself."""

import re
import secrets

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def fresh_id(prefix: str) -> str:
    """Return a new unguessable id such as ``conv_<32 hex digits>``."""
    return f"{prefix}_{secrets.token_hex(16)}"


def request_id(offered: str | None) -> str:
    """Return the client's own request id if it is harmless, else a fresh ``req_`` id."""
    return offered if offered and is_request_id(offered) else fresh_id("req")


def is_request_id(text: str) -> bool:
    """Tell whether a client's or an upstream's text can be a request id."""
    return _REQUEST_ID.fullmatch(text) is not None
