"""The credential step: whose request this is, and what becomes of those who guess.

A missing or wrong credential is a failure and is counted by the hit itself. The hit that uses
up the last try writes the block; whoever comes after it, or at the same time, finds the window
full or the block and is told to wait. A right credential that has worked from this address in
the last day always passes, so nobody can lock out the clients that the owner uses; one that has
not waits like everybody else, because letting it in would let in the right guess too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from flask_limiter import Limiter

from airelays_app.errors import TooManyRequests, Unauthorized
from airelays_app.store.lockouts import LockoutRule, Lockouts, Origin
from airelays_app.store.tokens import Credential

Identify = Callable[[bytes], Credential | None]

_MISSING = (
    "This relay needs its token: send Authorization: Bearer with the token that "
    "'airelays token show' prints."
)
REVOKED = "The relay token with which this connection was opened has been revoked or replaced."
_WRONG = "The relay token is wrong or revoked; 'airelays token show' prints the current one."
_TWO_OWNERS = "The request carries two valid credentials of different owners; send one of them."


@dataclass(frozen=True, slots=True)
class CredentialGate:
    """Lets known credentials in; raises Unauthorized, TooManyRequests or Unavailable.

    While the storage is down only a credential that this worker has recently let in from the
    same address passes; everybody else gets Unavailable, so that nobody guesses uncounted.
    """

    identify: Identify
    limiter: Limiter
    lockouts: Lockouts
    rule: LockoutRule

    def admit(self, offered: tuple[bytes, ...], *, address: str, origin: Origin) -> Credential:
        """Return whose credential was offered from the address group ``address``."""
        credential = self.known(offered)
        if credential is None:
            self._refuse(address, origin, message=_WRONG if offered else _MISSING)
        wait = self.lockouts.admit(address, credential.fingerprint, origin)
        if wait:
            raise _blocked(wait)
        return credential

    def known(self, offered: tuple[bytes, ...]) -> Credential | None:
        """Return the one known credential among those offered; two of different owners raise."""
        found = {credential for each in offered if (credential := self.identify(each)) is not None}
        if len(found) > 1:
            raise Unauthorized(_TWO_OWNERS)
        return next(iter(found), None)

    def _refuse(self, address: str, origin: Origin, *, message: str) -> NoReturn:
        wait = self.lockouts.seconds_blocked(address, origin)
        if wait:
            raise _blocked(wait)
        counter, strategy = self.rule.counter(), self.limiter.limiter
        if not strategy.hit(counter, address, origin):
            raise _blocked(self.lockouts.start(address, origin))
        if not strategy.get_window_stats(counter, address, origin).remaining:
            self.lockouts.start(address, origin)
        raise Unauthorized(message)


def _blocked(wait: float) -> TooManyRequests:
    return TooManyRequests(
        "Too many failed attempts from this address. Wait, or run 'airelays unblock' on the "
        "relay's machine.",
        code="ip_temporarily_blocked",
        retry_after=math.ceil(wait),
    )
