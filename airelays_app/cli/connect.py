"""``airelays connect``: the settings with which a client reaches this relay."""

from collections.abc import Iterator
from typing import Any

import click

from airelays_app.cli.addresses import base_url, is_private_to_this_machine, root_url
from airelays_app.cli.clients import CLIENTS, Client, Connection
from airelays_app.cli.clients.row import DIALECTS
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.token_store import TOKEN_PLACEHOLDER
from airelays_app.cli.upstreams_at_hand import UNKNOWN_MODEL, suggested_model
from airelays_app.config import Settings
from airelays_app.config.nearest import suggestion
from airelays_app.store.tokens import open_tokens

_NO_TOKEN = "any-text"  # noqa: S105 - what clients that insist on a key may send


@click.command()
@json_option
@click.option("--all", "everything", is_flag=True, help="Print the settings of every client.")
@click.option("--show-token", is_flag=True, help="Put the main token in, not a placeholder.")
@click.option("--model", metavar="NAME", help="The model to put in instead of the usual one.")
@click.argument("client", required=False)
@shared_options
@pass_invocation
def connect(
    invocation: Invocation,
    client: str | None,
    *,
    everything: bool,
    show_token: bool,
    model: str | None,
) -> None:
    """Print ready-to-paste settings for a client, or list the clients.

    CLIENT is a name of that list. The address is the one that other machines reach, if the relay
    listens there.
    """
    settings = invocation.settings()
    connection = Connection(
        base_url=base_url(settings),
        root_url=root_url(settings),
        token=_token(settings, show_token=show_token),
        model=model or suggested_model(settings),
    )
    chosen = list(CLIENTS.values()) if everything else _chosen(client)
    notes = [*_token_notes(connection, chosen), *_model_notes(connection)]
    notes += _address_notes(settings)
    page = _page(chosen, connection, notes)
    data = {
        "base_url": connection.base_url,
        "root_url": connection.root_url,
        "model": connection.model,
        "notes": notes,
        "clients": [client_data(each, connection) for each in chosen or CLIENTS.values()],
    }
    show(invocation, page=page, data=data)


def _chosen(name: str | None) -> list[Client]:
    if name is None:
        return []
    found = CLIENTS.get(name.lower())
    if found is None:
        raise click.BadParameter(
            f"{name!r} is not a known client.{suggestion(name.lower(), CLIENTS)} Any other client "
            "works with the base URL and the token: airelays connect",
            param_hint="CLIENT",
        )
    return [found]


def _token(settings: Settings, *, show_token: bool) -> str:
    if not settings.security.require_bearer_auth:
        return _NO_TOKEN
    token = open_tokens(settings).show() if show_token else None
    return token or TOKEN_PLACEHOLDER


def _address_notes(settings: Settings) -> Iterator[str]:
    if is_private_to_this_machine(settings):
        yield (
            "Only programs on this machine reach that address. For the other machines of the "
            "house let the relay listen on the LAN: airelays serve --host 0.0.0.0, or server.host."
        )
    if settings.server.port == 0 and not settings.server.public_url:
        yield "server.port is 0: put in the port that the server says it has taken."


def _token_notes(connection: Connection, chosen: list[Client]) -> Iterator[str]:
    if chosen and connection.token == TOKEN_PLACEHOLDER:
        yield (
            "airelays token show prints the token, --show-token puts it in here, and airelays "
            "token add NAME makes one for this device alone."
        )


def _model_notes(connection: Connection) -> Iterator[str]:
    if connection.model == UNKNOWN_MODEL:
        yield "airelays models lists the names that you can put in as the model."


def _page(chosen: list[Client], connection: Connection, notes: list[str]) -> Page:
    page = Page("client settings")
    page.section("Every Client")
    page.field("Base URL", connection.base_url)
    page.field("API key", connection.token)
    page.field("Model", connection.model)
    for client in chosen:
        add_client(page, client, connection)
    if not chosen:
        page.section("Clients")
        for client in CLIENTS.values():
            page.field(client.slug, client.name)
    if notes:
        page.section("Notes")
    for note in notes:
        page.text(note)
    page.steps([] if chosen else ["Print the settings of one client: airelays connect codex"])
    return page


def add_client(page: Page, client: Client, connection: Connection) -> None:
    """Add a section with the settings of a client to a page."""
    page.section(f"{client.name} ({DIALECTS[client.dialect]})")
    for remark in client.notes:
        page.text(connection.fill(remark))
    for step in client.steps:
        page.text(f"{connection.fill(step.where)}:")
        page.verbatim(connection.fill(step.text))


def client_data(client: Client, connection: Connection) -> dict[str, Any]:
    """Return the settings of a client for programs."""
    return {
        "client": client.slug,
        "name": client.name,
        "dialect": client.dialect,
        "steps": [
            {"where": connection.fill(step.where), "text": connection.fill(step.text)}
            for step in client.steps
        ],
        "notes": [connection.fill(remark) for remark in client.notes],
    }
