"""``airelays doctor``: what is wrong, and what to do about it."""

import click

from airelays_app.cli.failures import EXIT_FAILED
from airelays_app.cli.lazy_group import imported
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import show


@click.command()
@json_option
@click.option("--offline", is_flag=True, help="Do not call any upstream.")
@shared_options
@pass_invocation
@click.pass_context
def doctor(context: click.Context, invocation: Invocation, *, offline: bool) -> None:
    """Look for what is wrong and say what to do about it.

    Exit status 1 if anything fails. Nothing is changed, except that a login that is due is
    renewed; no secret is printed.
    """
    examine = imported("airelays_app.cli", "examination:examine_all")
    page, data = examine(invocation, offline=offline)
    show(invocation, page=page, data=data)
    if not data["ok"]:
        context.exit(EXIT_FAILED)
