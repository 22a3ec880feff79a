"""How long an access token is good for, by our own clock."""

import math
from dataclasses import dataclass
from typing import Final

from airelays_app.providers.codex.claims import read_claims
from airelays_app.providers.codex.constants import REFRESH_INTERVAL_SECONDS
from airelays_app.providers.codex.credentials import Credentials

RENEW_AHEAD_SECONDS: Final = 300.0
"""How long before its expiry a token is renewed; a fifth of its life if that is shorter."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From when a token should be renewed and when it is dead, unix seconds of our clock."""

    renew_from: float
    dies_at: float


def lifetime_of(credentials: Credentials, *, ahead: float = RENEW_AHEAD_SECONDS) -> Lifetime:
    """Return how long the access token is good for; renewal is due ``ahead`` of its end.

    A token that tells no expiry is renewed eight days after it was received and never counts as
    dead: the upstream decides. If a token seems to have been dead on arrival, our clock is ahead
    of the issuer's, and its length counts from its arrival.
    """
    claims = read_claims(credentials.access_token)
    received = credentials.last_refresh
    expires = claims.expires_at
    length = expires - claims.issued_at if expires and claims.issued_at else 0.0
    if expires is not None and received is not None and expires <= received:
        expires = received + length if length > 0 else None
    if expires is None:
        return Lifetime((received or 0.0) + REFRESH_INTERVAL_SECONDS, math.inf)
    return Lifetime(expires - (min(ahead, length / 5) if length > 0 else ahead), expires)
