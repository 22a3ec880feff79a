"""The command line: ``airelays COMMAND``.

A command's module is imported when the command runs, so that ``airelays --help`` is instant.
"""

import click

from airelays_app.cli.lazy_group import LazyCommand, LazyGroup
from airelays_app.cli.options import Invocation, shared_options
from airelays_app.cli.page import accept_any_text
from airelays_app.version import VERSION

COMMANDS = {
    "demo": LazyCommand("demo.command:demo", "Try the relay without an account, until Ctrl-C."),
    "init": LazyCommand("init:init", "Write the configuration file and make a relay token."),
    "login": LazyCommand("login:login", "Log in to the ChatGPT subscription."),
    "logout": LazyCommand("logout:logout", "Log out of the ChatGPT subscription."),
    "serve": LazyCommand("serve:serve", "Run the relay until Ctrl-C or SIGTERM."),
    "status": LazyCommand(
        "status:status", "Show how things stand, whether or not the relay is running."
    ),
    "doctor": LazyCommand("doctor:doctor", "Look for what is wrong and say what to do about it."),
    "ask": LazyCommand("ask:ask", "Ask the running relay and print the answer as it comes."),
    "models": LazyCommand("models:models", "List the models that clients can ask for."),
    "providers": LazyCommand(
        "providers:providers", "Show the upstreams that the relay can reach, and try them."
    ),
    "usage": LazyCommand(
        "usage:usage", "Show how much of the subscription is used, and when it resets."
    ),
    "local": LazyCommand("local:local", "Install the small model that runs on this machine."),
    "token": LazyCommand("token:token", "Show, rotate, add and revoke relay tokens."),
    "connect": LazyCommand(
        "connect:connect", "Print ready-to-paste settings for a client, or list the clients."
    ),
    "config": LazyCommand("config:config", "Show and check the settings."),
    "unblock": LazyCommand(
        "unblock:unblock", "Let a blocked address, or all of them, try again at once."
    ),
}
"""The commands in the order of the help, each with its module, its name there, and its summary."""

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    package=__name__,
    context_settings=_CONTEXT,
    invoke_without_command=True,
)
@shared_options
@click.version_option(VERSION, message="AIRelays %(version)s")
@click.pass_context
def airelays(context: click.Context) -> None:
    """One private address for every LLM client and every model in the house.

    Begin with airelays demo, which needs no account, or with airelays init.

    Options that name files or settings may stand before or after the command. Exit status: 0
    done, 1 not done, 2 wrong usage, 75 somebody else is using it (try again), 78 wrong
    configuration, 130 interrupted.
    """
    context.ensure_object(Invocation)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line of this process and exit."""
    accept_any_text()
    airelays(prog_name="airelays")
