"""The guide of a demo: it asks the first question and prints what clients need.

A process of its own, ``python -m airelays_app.cli.demo.guide --config FILE``, because the relay's
master must not run threads and never waits. Its parent is the relay; without an answer the demo
is of no use, so it is told to stop.
"""

import os
import signal
from typing import Any

import click

from airelays_app.cli.addresses import base_url, root_url
from airelays_app.cli.ask import Streamed, discard, stream_answer, terminal_writer
from airelays_app.cli.clients import CLIENTS, Connection
from airelays_app.cli.connect import add_client, client_data
from airelays_app.cli.failures import Failure, told_to_people
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, accept_any_text, show
from airelays_app.cli.program import program
from airelays_app.cli.relay_api import RelayApi, local_url
from airelays_app.config import Settings
from airelays_app.store.tokens import open_tokens

QUESTION = "What is the capital of France?"

_CLIENTS = ("curl", "openai-python")
_SECONDS = 180.0
_SMALL = (
    "The model is very small. It only shows that everything works, from the client's settings to "
    "the stream; for real questions log in to a subscription or add a server of your own."
)
_MADE_UP = "No model has answered, only a stand-in: it shows that the relay and your clients work."


@click.command()
@json_option
@shared_options
@pass_invocation
def guide(invocation: Invocation) -> None:
    """Ask the demo's relay and print how to use it."""
    relay = os.getppid()
    try:
        with told_to_people():
            _guide(invocation)
    except click.ClickException:
        _stop(relay)
        raise


def _stop(relay: int) -> None:
    """The relay ends its guide when it stops, but this one has yet to say why."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.getppid() == relay:
        os.kill(relay, signal.SIGTERM)


def _guide(invocation: Invocation) -> None:
    settings = invocation.settings()
    connection = Connection(
        base_url=base_url(settings),
        root_url=root_url(settings),
        token=_token(settings),
        model=settings.models.default,
    )
    answer = _first_answer(settings, connection, quiet=invocation.as_json)
    steps = _next_steps(settings)
    data = _data(settings, connection, answer) | {"next_steps": steps}
    show(invocation, page=_page(settings, connection, steps), data=data)


def _token(settings: Settings) -> str:
    token = open_tokens(settings).show()
    if token is None:
        raise Failure("The relay has no token.")
    return token


def _first_answer(settings: Settings, connection: Connection, *, quiet: bool) -> Streamed:
    if not quiet:
        click.echo(f"> {QUESTION}")
    write = discard if quiet else terminal_writer()
    with RelayApi(local_url(settings), token=connection.token) as api:
        answer = stream_answer(
            api, QUESTION, model=connection.model, write=write, read_timeout=_SECONDS
        )
    if not quiet:
        click.echo("\n")
    return answer


def _page(settings: Settings, connection: Connection, steps: list[str]) -> Page:
    page = Page("the demo is serving")
    page.text(_SMALL if settings.routing.default_provider == "local" else _MADE_UP)
    page.section("Every Client")
    page.field("Base URL", connection.base_url)
    page.field("API key", connection.token)
    page.field("Model", connection.model)
    for name in _CLIENTS:
        add_client(page, CLIENTS[name], connection)
    page.steps(steps)
    page.section("Stop it with Ctrl-C.")
    return page


def _next_steps(settings: Settings) -> list[str]:
    here = f"{program()} --config {settings.config_path}"
    return [
        f'Ask it from another terminal: {here} ask "What is water made of?"',
        f"See the settings of all clients: {here} connect --all --show-token",
        f"Set up the real thing, with an account or your own servers: {program()} init",
    ]


def _data(settings: Settings, connection: Connection, answer: Streamed) -> dict[str, Any]:
    return {
        "base_url": connection.base_url,
        "relay_token": connection.token,
        "model": connection.model,
        "config_path": str(settings.config_path),
        "data_dir": str(settings.paths.data_dir),
        "question": QUESTION,
        "answer": answer.shown(),
        "clients": [client_data(CLIENTS[name], connection) for name in _CLIENTS],
    }


if __name__ == "__main__":
    accept_any_text()
    guide(prog_name="airelays demo")
