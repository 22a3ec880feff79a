"""The issuer's :class:`Poster` on the relay's own upstream client."""

import json as json_text
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from airelays_app.providers.codex.constants import USER_AGENT
from airelays_app.providers.codex.oauth import IssuerAnswer, Poster
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest

_ANSWER_BYTES_MAX: Final = 1 << 20
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 30.0


def issuer_poster(
    options: ClientOptions,
    *,
    user_agent: str = USER_AGENT,
    connect_timeout: float = _CONNECT_SECONDS,
    read_timeout: float = _READ_SECONDS,
) -> Poster:
    """Return a poster that reaches the issuer with the proxies and authorities of ``options``.

    Every call has a connection of its own: a pooled one that turns out to be dead makes the
    client send again, and a refresh token may be sent only once. No client's socket is watched,
    so nobody who leaves can break a renewal off. Times are in seconds.
    """
    alone = replace(options, pool_size=1)

    def post(
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> IssuerAnswer:
        kind, body = _encoded(form, json)
        request = OutboundRequest(
            method="POST",
            url=url,
            headers={
                "Content-Type": kind,
                "Accept": "application/json",
                "User-Agent": user_agent,
                "Connection": "close",
            },
            body=body,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            stream=False,
        )
        client = UpstreamClient(alone)
        try:
            with client.send(request) as answer:
                return IssuerAnswer(answer.status, answer.read(limit=_ANSWER_BYTES_MAX))
        finally:
            client.close()

    return post


def _encoded(form: Mapping[str, str] | None, json: Mapping[str, Any] | None) -> tuple[str, bytes]:
    if json is not None:
        return "application/json", json_text.dumps(json).encode("ascii")
    return "application/x-www-form-urlencoded", urlencode(form or {}).encode("ascii")
