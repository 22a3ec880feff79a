"""Who can use the relay: its token, the network it is open to, and addresses that are blocked."""

import stat
from contextlib import closing

from airelays_app.cli.doctor_checks.situation import Situation
from airelays_app.cli.doctor_checks.verdict import SET_UP, Verdict, failed, passed, skipped, warned
from airelays_app.cli.wording import duration
from airelays_app.config.exposure import is_loopback_host, open_relay_problem
from airelays_app.errors import ConfigError, Unavailable
from airelays_app.store.database import Database
from airelays_app.store.lockouts import LockoutRule, Lockouts
from airelays_app.store.steady_clock import SteadyClock


def relay_token(situation: Situation) -> Verdict:
    """There is a token that a client can use, and nobody else can read it."""
    security = situation.settings.security
    if not security.require_bearer_auth:
        return skipped("No token is asked for.")
    try:
        situation.tokens.check()
    except ConfigError as error:
        return failed(str(error), "Make a new relay token: airelays token rotate")
    if situation.tokens.source() is None and security.auto_generate_bearer_token:
        return passed("The relay makes one when it starts.")
    if not situation.tokens.any_exists():
        return failed("There is no relay token, so no client gets in.", SET_UP)
    path = security.bearer_token_file
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warned(
            f"Others can read {path}.",
            f"Keep it to yourself: chmod 600 {path}",
            "If somebody may have read the token: airelays token rotate",
        )
    return passed("There is one, and it is private.")


def network(situation: Situation) -> Verdict:
    """A relay without token is not open to the network."""
    settings = situation.settings
    host = settings.server.host
    problem = open_relay_problem(settings)
    if problem:
        return failed(
            f"No token is asked for, and {host} is reached by other machines: anybody there "
            "could use your accounts. The relay refuses to start like this.",
            "Ask for a token: remove require_bearer_auth = false (or "
            "AIRELAYS_REQUIRE_BEARER_AUTH), then: airelays init",
            "Or keep it to this machine: airelays serve --host 127.0.0.1",
        )
    if is_loopback_host(host):
        return passed("Only programs on this machine reach the relay.")
    if not settings.security.require_bearer_auth:
        return warned(
            f"Anybody who reaches {host} uses your accounts, as you have confirmed.",
            "Ask for a token: remove require_bearer_auth = false, then: airelays init",
        )
    return passed(f"{host} is reached by other machines; they need a token.")


def blocked_addresses(situation: Situation) -> Verdict:
    """No address is locked out after wrong tokens."""
    path = situation.settings.paths.data_dir / "state.sqlite3"
    if not path.exists():
        return skipped("Nobody has called yet.")
    try:
        with closing(Database(path, busy_seconds=2.0)) as database:
            held = Lockouts(database, clock=SteadyClock(database), rule=LockoutRule()).list()
    except Unavailable:
        return skipped("The database does not answer.")
    if not held:
        return passed("None.")
    shown = ", ".join(f"{each.address} for {duration(each.seconds_left)}" for each in held[:5])
    return warned(
        f"Blocked after wrong tokens: {shown}.",
        "Put the right token into that client (airelays token show), then: airelays unblock",
    )
