"""What a server that has begun to listen tells its owner."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from airelays_app.cli.addresses import base_url, is_private_to_this_machine
from airelays_app.cli.page import Page, print_page
from airelays_app.cli.upstreams_at_hand import is_logged_in, local_model, own_servers
from airelays_app.config import Settings
from airelays_app.config.exposure import is_loopback_host, is_wildcard_host
from airelays_app.server.logs import note

Address = tuple[str, int]
"""Host and port; a UNIX socket has its path and port 0."""


def ip_hosts(addresses: list[Address]) -> list[str]:
    """Return the hosts that other machines might reach: all but UNIX sockets."""
    return [host for host, port in addresses if port]


def base_urls(settings: Settings, addresses: list[Address]) -> list[str]:
    """Return the base URLs for clients, the one for the whole house first.

    A relay that listens on every address is also reached on this machine without a network.
    """
    found = [_base_url(settings, address) for address in addresses if address[1]]
    wild = [port for host, port in addresses if port and is_wildcard_host(host)]
    found += [f"http://127.0.0.1:{port}/v1" for port in wild[:1]]
    return list(dict.fromkeys(found)) or [f"unix:{path}" for path, _ in addresses]


def greet(settings: Settings, addresses: list[Address]) -> None:
    """Say where the relay is and what to do next: a page on a terminal, else log lines."""
    urls, steps = base_urls(settings, addresses), list(next_steps(settings))
    if not sys.stdout.isatty():
        note(logging.INFO, "serving", base_url=",".join(urls))
        for step in steps:
            note(logging.INFO, "next step", step=step)
        return
    page = Page("serving")
    page.section("Relay")
    for url in urls:
        page.field("Base URL", url)
    page.field("API key", _api_key(settings))
    page.text("Stop it with Ctrl-C.")
    page.steps(steps)
    print_page(page)
    click.echo()


def next_steps(settings: Settings) -> Iterator[str]:
    """Yield what is still to do before the relay is of use to the whole house."""
    if not is_logged_in(settings) and not own_servers(settings):
        yield "Log in to your ChatGPT subscription: airelays login"
        if local_model(settings) is None:
            yield "Or try it without an account: airelays local install"
    if is_private_to_this_machine(settings):
        yield "Let the other machines of the house in: airelays serve --host 0.0.0.0"
    yield "Set up your clients: airelays connect"


def _base_url(settings: Settings, address: Address) -> str:
    host, port = address
    name = settings.server.host
    if not (is_loopback_host(host) and is_loopback_host(name)):
        name = host
    return base_url(replace(settings, server=replace(settings.server, host=name, port=port)))


def _api_key(settings: Settings) -> str:
    required = settings.security.require_bearer_auth
    return "see: airelays token show" if required else "none needed"
