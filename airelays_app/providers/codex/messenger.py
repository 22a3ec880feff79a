"""A process that takes a refresh token to the issuer: ``python -m ....codex.messenger``.

The moment the issuer answers, the old token is dead and the new one exists in that answer only.
Whoever waits for it must not be a worker of the relay, which may be killed at any time. So this
process, which does nothing else and belongs to no worker's session, sends the token and puts the
answer into the pending record before anybody looks at it. It has inherited that record and the
login's lock: while it lives nobody else renews, and when it has ended the answer is on disk.

Its orders come as one JSON line on standard input, so that no token is in a command line. It
reports with one JSON line on standard output; nobody need be there to read it.
"""

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from airelays_app.errors import UpstreamError, UpstreamUnreachable
from airelays_app.providers.codex.journal import PendingRecord
from airelays_app.providers.codex.oauth import IssuerAnswer
from airelays_app.providers.codex.transport import issuer_poster
from airelays_app.upstream.client import ClientOptions

LONGEST_ERRAND_SECONDS: Final = 120
"""An issuer that trickles its answer for longer is cut off."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What to send where, and which inherited descriptors are the record and the lock."""

    url: str
    form: Mapping[str, Any] = field(repr=False)
    record: int
    answer_offset: int
    lock: int
    proxies: Mapping[str, str] = field(repr=False)
    no_proxy: str
    ca_bundle: str | None
    user_agent: str
    connect_timeout: float

    def line(self) -> bytes:
        """Return the orders as the line that :func:`main` reads."""
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    """Run one errand and report it."""
    signal.alarm(LONGEST_ERRAND_SECONDS)
    report = _run(Orders(**json.loads(sys.stdin.readline())))
    with suppress(BrokenPipeError):  # whoever sent us is gone; the record tells whoever comes next
        os.write(1, json.dumps(report).encode() + b"\n")


def _run(orders: Orders) -> dict[str, Any]:
    post = issuer_poster(
        ClientOptions(proxies=orders.proxies, no_proxy=orders.no_proxy, ca_bundle=orders.ca_bundle),
        user_agent=orders.user_agent,
        connect_timeout=orders.connect_timeout,
    )
    try:
        answer = post(orders.url, json=orders.form)
    except UpstreamError as error:
        return {"trouble": error.message, "unsent": isinstance(error, UpstreamUnreachable)}
    return _kept(answer, orders)


def _kept(answer: IssuerAnswer, orders: Orders) -> dict[str, Any]:
    at, problem = time.time(), None
    try:
        PendingRecord(orders.record, answer_offset=orders.answer_offset).keep(answer, at=at)
    except OSError as error:
        problem = error.strerror
    raw = base64.b64encode(answer.raw).decode("ascii")
    return {"status": answer.status, "raw": raw, "at": at, "not_kept": problem}


if __name__ == "__main__":
    main()
