"""What a path without a route has meant: base URLs are easily set up a little wrong."""

import re
from collections.abc import Iterator

from flask import current_app, request

from airelays_app.web.scope import scope_prefix

_DOUBLED = re.compile(r"((?:/no-tools)?)/v1(?:beta)?(/v1(?:beta)?/.+)")
_SCOPED = re.compile(r"/([A-Za-z0-9._-]{1,64})(/v1(?:beta)?/.+)")
_TOO_SHORT = " The base URL that the client is set up with must end with /v1."
_TOO_LONG = " The base URL that the client is set up with must end before /v1."
_LONGEST_SHOWN = 200


def near_route() -> str:
    """Return the sentences that name what the running request has meant, nothing if unknown."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    guesses = _guesses(request.path)
    return next((said for path, said in guesses if adapter.test(path, request.method)), "")


def _guesses(path: str) -> Iterator[tuple[str, str]]:
    """Yield paths that may be right, and what is to be said if they are."""
    if doubled := _DOUBLED.fullmatch(path):
        meant = doubled[1] + doubled[2]
        yield meant, _did_you_mean(meant) + _TOO_LONG
    if path.endswith("/"):
        meant = path.rstrip("/")
        yield meant, _did_you_mean(meant)
    if scoped := _SCOPED.fullmatch(path):
        yield scoped[2], f" No provider is called {scoped[1]!r}; see: airelays providers list."
    for prefix in ("/no-tools", ""):
        if path.startswith(f"{prefix}/"):
            meant = f"{prefix}/v1{path.removeprefix(prefix)}"
            yield meant, _did_you_mean(meant) + _TOO_SHORT


def _did_you_mean(path: str) -> str:
    return f" Did you mean {(scope_prefix() + path)[:_LONGEST_SHOWN]}?"
