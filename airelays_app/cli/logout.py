"""``airelays logout``: remove the subscription login from this machine."""

import click

from airelays_app.cli.login import login_errors, parts_of
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.providers.codex.logout import SignedOut, sign_out

_RESULTS = {
    None: "The login is removed from this machine.",
    True: "The login is removed from this machine, and the issuer has ended the session.",
    False: (
        "The login is removed from this machine. The issuer did not confirm that it has ended "
        "the session; to be sure, sign out of all devices in your account's security settings."
    ),
}


@click.command()
@json_option
@click.option("--local", is_flag=True, help="Do not ask the issuer to end the session.")
@click.option("--account", metavar="NAME", default="", help="Remove the further login NAME.")
@shared_options
@pass_invocation
def logout(invocation: Invocation, *, local: bool, account: str) -> None:
    """Log out of the ChatGPT subscription.

    Removes the login file and what an earlier version left in the keyring. A running server
    notices at its next request.
    """
    parts = parts_of(invocation.settings(), invocation.environ, account)
    with login_errors():
        done = sign_out(
            parts.file, parts.keyring, issuer=parts.issuer, post=parts.post, tell=not local
        )
    data = {"deleted": done.deleted, "revoked": done.revoked}
    show(invocation, page=_logged_out(done), data=data)


def _logged_out(done: SignedOut) -> Page:
    if not done.deleted:
        return Page("there was no login")
    page = Page("logged out")
    page.text(_RESULTS[done.revoked])
    return page
