"""A token is renewed before it dies, and a wrong clock does not make every request renew."""

import json

from airelays_app.providers.codex.credentials import Credentials, parse_credentials
from airelays_app.providers.codex.lifetime import lifetime_of
from tests.providers.codex.rotating_issuer import jwt


def login(access: str, received: float | None) -> Credentials:
    held = parse_credentials(json.dumps({"tokens": {"access_token": access}}))
    return held if received is None else held.with_tokens({"access_token": access}, at=received)


def test_renewal_is_due_ahead_of_the_end():
    day = 86_400.0
    known = lifetime_of(login(jwt(exp=10 * day, iat=0.5), 1.0))
    assert (known.renew_from, known.dies_at) == (10 * day - 300, 10 * day)
    brief = lifetime_of(login(jwt(exp=1060, iat=1000), 1000.0))
    assert (brief.renew_from, brief.dies_at) == (1048, 1060)
    unsaid = lifetime_of(login("opaque", 1000.0))
    assert (unsaid.renew_from, unsaid.dies_at) == (1000 + 8 * day, float("inf"))


def test_a_token_that_was_dead_on_arrival_tells_that_our_clock_is_ahead():
    by_length = lifetime_of(login(jwt(exp=2000, iat=1000), 50_000.0))
    assert by_length.dies_at == 51_000
    assert lifetime_of(login(jwt(exp=2000), 50_000.0)).dies_at == float("inf")
