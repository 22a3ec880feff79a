"""``airelays unblock``: end the block of an address after wrong tokens."""

from contextlib import closing

import click

from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.wording import duration
from airelays_app.config import Settings
from airelays_app.store.address_groups import group_named
from airelays_app.store.database import Database
from airelays_app.store.lockouts import Lockout, LockoutRule, Lockouts
from airelays_app.store.steady_clock import SteadyClock


@click.command()
@json_option
@click.argument("address", required=False, metavar="[IP]")
@shared_options
@pass_invocation
def unblock(invocation: Invocation, address: str | None) -> None:
    """Let a blocked address, or all of them, try again at once.

    An address is blocked after too many wrong tokens, one of IPv6 with its whole /64. A running
    server notices at once.
    """
    wanted = None if address is None else _blocked_as(address)
    ended = _end_blocks(invocation.settings(), wanted)
    page = Page("nothing was blocked" if not ended else "unblocked")
    for lockout in ended:
        page.field(lockout.address, f"would have lasted another {duration(lockout.seconds_left)}")
    addresses = sorted({lockout.address for lockout in ended})
    show(invocation, page=page, data={"unblocked": addresses})


def _blocked_as(address: str) -> str:
    try:
        return group_named(address.strip("[]"))
    except ValueError:
        raise click.BadParameter(f"{address!r} is not an IP address.", param_hint="IP") from None


def _end_blocks(settings: Settings, address: str | None) -> list[Lockout]:
    path = settings.paths.data_dir / "state.sqlite3"
    if not path.exists():
        return []
    security = settings.security
    rule = LockoutRule(
        max_attempts=security.failed_auth_max_attempts,
        window_seconds=security.failed_auth_window_seconds,
        block_seconds=security.failed_auth_block_seconds,
        known_seconds=security.known_client_seconds,
    )
    with closing(Database(path)) as database:
        lockouts = Lockouts(database, clock=SteadyClock(database), rule=rule)
        held = [lockout for lockout in lockouts.list() if address in (None, lockout.address)]
        lockouts.clear(address)
    return held
