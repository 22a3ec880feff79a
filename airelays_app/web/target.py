"""The request's target as the client wrote it: nothing decoded, nothing tidied up."""

from urllib.parse import quote, unquote

from flask import request

from airelays_app.errors import NotFound


def raw_target() -> tuple[str, str]:
    """Return the raw path, from its first slash on, and the raw query."""
    environ = request.environ
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not isinstance(target, str):
        return quote(request.path), environ.get("QUERY_STRING", "")
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path, query


def raw_tail(prefix: str) -> tuple[str, str]:
    """Return what stands behind ``prefix`` in the raw path, and the raw query.

    ``prefix`` ends with a slash; it may be written in percent codes, segment by segment. Raises
    NotFound where a slash in disguise made the route match.
    """
    path, query = raw_target()
    count = prefix.count("/")
    segments = path.split("/", count)
    if unquote("/".join(segments[:-1])) + "/" != prefix or len(segments) <= count:
        raise NotFound("There is no such route.")
    return segments[-1], query
