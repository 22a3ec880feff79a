"""``airelays token``: the credentials with which clients reach the relay."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from airelays_app.cli.failures import EXIT_FAILED
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.token_store import add_client_setup, client_setup
from airelays_app.cli.wording import day_of
from airelays_app.config import Settings
from airelays_app.services.steps import INIT_STEP
from airelays_app.store.inheritance import pass_on
from airelays_app.store.tokens import MAIN, TokenEntry, TokenNameError, open_tokens

_HINTS = ["airelays connect prints ready-to-paste settings for your clients"]


@click.group()
@shared_options
def token() -> None:
    """Show, rotate, add and revoke relay tokens.

    The main token is the one in the token file. Further tokens have names, one for each device,
    so that each can be revoked alone. Changes hold at once, without a restart.
    """


@token.command("show")
@json_option
@shared_options
@pass_invocation
@click.pass_context
def show_token(context: click.Context, invocation: Invocation) -> None:
    """Print the main token without changing it."""
    settings = invocation.settings()
    tokens = open_tokens(settings)
    main = tokens.show()
    setup = client_setup(settings, token=main)
    steps = _HINTS if main else [INIT_STEP]
    page = Page("relay token")
    page.section("Relay")
    page.field("Token", main)
    page.field("Source", tokens.source())
    add_client_setup(page, setup, has_token=main is not None)
    page.steps(steps)
    data = _describe(settings.security.bearer_token_file, tokens.source(), main)
    data |= {"bearer_token_present": main is not None, "client": setup, "next_steps": steps}
    show(invocation, page=page, data=data)
    if main is None:
        context.exit(EXIT_FAILED)


@token.command()
@json_option
@click.argument("name", default=MAIN)
@shared_options
@pass_invocation
def rotate(invocation: Invocation, name: str) -> None:
    """Replace the token NAME, or the main one, and print the new one.

    The old one ends at once.
    """
    settings = invocation.settings()
    tokens = open_tokens(settings)
    with _named_rightly():
        fresh = tokens.rotate(name)
    setup = client_setup(settings, token=fresh, of_device=name != MAIN)
    page = _new_token(f"token {name} rotated", name, fresh)
    add_client_setup(page, setup)
    data = _describe(settings.security.bearer_token_file, tokens.source(), fresh)
    show(invocation, page=page, data=data | {"name": name, "client": setup})


@token.command()
@json_option
@click.argument("name")
@shared_options
@pass_invocation
def add(invocation: Invocation, name: str) -> None:
    """Make a token for the device NAME and print it, this once."""
    settings = invocation.settings()
    with _named_rightly():
        fresh = open_tokens(settings).add(name)
    _leave_to_main(settings, name)
    setup = client_setup(settings, token=fresh, of_device=True)
    page = _new_token(f"token {name} added", name, fresh)
    page.text("It is shown this once: only its digest is kept.")
    add_client_setup(page, setup)
    show(invocation, page=page, data={"name": name, "relay_token": fresh, "client": setup})


@token.command()
@json_option
@click.argument("name")
@shared_options
@pass_invocation
def revoke(invocation: Invocation, name: str) -> None:
    """End the token NAME for good; "main" is the one in the token file.

    What NAME has kept here, such as responses and batches, is the main token's from then on.
    """
    settings = invocation.settings()
    with _named_rightly():
        open_tokens(settings).revoke(name)
    _leave_to_main(settings, name)
    page = Page(f"token {name} revoked")
    page.text("It is refused from the next request on.")
    show(invocation, page=page, data={"revoked": name})


@contextmanager
def _named_rightly() -> Iterator[None]:
    try:
        yield
    except TokenNameError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None


def _leave_to_main(settings: Settings, name: str) -> None:
    """A device that gets the name later on must not find what another one has kept."""
    if name != MAIN:
        pass_on(settings.paths.data_dir / "state.sqlite3", owner=name, heir=MAIN)


@token.command("list")
@json_option
@shared_options
@pass_invocation
def list_tokens(invocation: Invocation) -> None:
    """List the tokens by name, without their secrets."""
    entries = open_tokens(invocation.settings()).list()
    page = Page("relay tokens")
    page.section("Tokens")
    for entry in entries:
        page.field(entry.name, _in_words(entry))
    page.steps([] if entries else [INIT_STEP])
    show(invocation, page=page, data={"tokens": [_entry(entry) for entry in entries]})


def _new_token(title: str, name: str, fresh: str) -> Page:
    page = Page(title)
    page.section("Relay")
    page.field("Name", name)
    page.field("Token", fresh)
    return page


def _describe(token_file: object, source: str | None, secret: str | None) -> dict[str, Any]:
    return {
        "bearer_token_file": str(token_file),
        "bearer_token_source": source,
        "relay_token": secret,
    }


def _in_words(entry: TokenEntry) -> str:
    in_file = entry.source == "file"
    origin = f"made {day_of(entry.created_at)}" if in_file else "given by AIRELAYS_BEARER_TOKEN"
    return f"{origin}, digest {entry.fingerprint}"


def _entry(entry: TokenEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "fingerprint": entry.fingerprint,
        "created_at": entry.created_at,
        "source": entry.source,
    }
