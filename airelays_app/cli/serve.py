"""``airelays serve``: the relay itself, in the foreground, until a signal says stop."""

import click

from airelays_app.cli.lazy_group import imported
from airelays_app.cli.options import Invocation, pass_invocation, setting_options, shared_options
from airelays_app.cli.serving import greet


@click.command()
@setting_options(
    "server.host",
    "server.port",
    "server.workers",
    "server.threads",
    "server.streams",
    "security.require_bearer_auth",
    "security.allow_open_relay",
    "logging.level",
)
@shared_options
@pass_invocation
@click.pass_context
def serve(context: click.Context, invocation: Invocation) -> None:
    """Run the relay until Ctrl-C or SIGTERM.

    SIGHUP reads the configuration file again and replaces the workers without cutting an answer;
    what was given on the command line stays. A second server on one data folder is refused.
    """
    serve_relay = imported("airelays_app.cli", "master:serve_relay")
    context.exit(serve_relay(invocation.settings, greet))
