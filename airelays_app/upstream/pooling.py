"""Connections taken from a pool and given back: not trusted after a long sleep."""

import time
from typing import cast

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ClosedPoolError

from airelays_app.errors import UpstreamUnreachable
from airelays_app.upstream.adapter import RelayConnection

MAX_IDLE = 240.0
"""Seconds after which an unused connection is not trusted to be alive any more."""


def take(pool: HTTPConnectionPool) -> RelayConnection:
    """Return a connection of ``pool``: open and alive as far as one can know, or not open.

    Raises UpstreamUnreachable if the pool was closed meanwhile.
    """
    try:
        conn = cast(RelayConnection, pool._get_conn())
    except ClosedPoolError:
        raise UpstreamUnreachable("Upstream connections are being closed. Try again.") from None
    if not conn.is_closed and _now() - conn.idle_since > MAX_IDLE:
        conn.close()
    return conn


def give_back(conn: RelayConnection, pool: HTTPConnectionPool, *, reusable: bool) -> None:
    """Return ``conn`` to ``pool``, open if it may carry another request, else closed at once."""
    if reusable:
        conn.idle_since = _now()
    else:
        conn.close()
    pool._put_conn(conn)


def _now() -> float:
    """Return seconds of the clock that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
