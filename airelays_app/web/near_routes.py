"""What a path without a route has meant: base URLs are easily set up a little wrong."""

import re
from collections.abc import Iterator

from flask import current_app, request

from airelays_app.web.scope import scope_prefix

_DOUBLED = re.compile(r"((?:/no-tools)?)/v1(?:beta)?(/v1(?:beta)?/.+)")
_TOO_SHORT = " The base URL that the client is set up with must end with /v1."
_TOO_LONG = " The base URL that the client is set up with must end before /v1."
_LONGEST_SHOWN = 200


def near_route() -> str:
    """Return the sentences that name what the running request has meant, nothing if unknown."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    for path, advice in _guesses(request.path):
        if adapter.test(path, request.method):
            return f" Did you mean {(scope_prefix() + path)[:_LONGEST_SHOWN]}?{advice}"
    return ""


def _guesses(path: str) -> Iterator[tuple[str, str]]:
    """Yield paths that may be right, and what to do about the client if they are."""
    if doubled := _DOUBLED.fullmatch(path):
        yield doubled[1] + doubled[2], _TOO_LONG
    if path.endswith("/"):
        yield path.rstrip("/"), ""
    for prefix in ("/no-tools", ""):
        if path.startswith(f"{prefix}/"):
            yield f"{prefix}/v1{path.removeprefix(prefix)}", _TOO_SHORT
