"""The messenger, which kills itself at a named point: ``dying_messenger.py POINT``."""

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from airelays_app.providers.codex import messenger
from airelays_app.providers.codex.journal import PendingRecord
from airelays_app.providers.codex.oauth import IssuerAnswer, Poster

_keep = PendingRecord.keep


def die(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def keep_and_die(record: PendingRecord, answer: IssuerAnswer, *, at: float) -> None:
    _keep(record, answer, at=at)
    die()


def post_and_die_before_reading(
    url: str, *, form: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None
) -> IssuerAnswer:
    """Send, wait for the issuer's first byte (so it has decided), and die without reading it."""
    from json import dumps

    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("POST", address.path, dumps(json), {"Content-Type": "application/json"})
    connection.sock.recv(1)
    die()


def arm(point: str) -> None:
    if point == "after-keep":
        PendingRecord.keep = keep_and_die  # type: ignore[method-assign]
        return
    post: Poster = {"before-send": die, "after-send": post_and_die_before_reading}[point]
    messenger.issuer_poster = lambda *_, **__: post


if __name__ == "__main__":
    arm(sys.argv[1])
    messenger.main()
