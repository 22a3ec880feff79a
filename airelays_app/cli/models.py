"""``airelays models``: what clients can ask for, whether or not the relay is running."""

import click

from airelays_app.cli.in_process import relay_core
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show


@click.command()
@json_option
@shared_options
@pass_invocation
def models(invocation: Invocation) -> None:
    """List the models that clients can ask for.

    The upstreams are asked directly, so the relay need not be running.
    """
    settings = invocation.settings()
    with relay_core(settings, invocation.environ) as core:
        listed = core.catalog.listed()
    page = Page("models")
    for provider in dict.fromkeys(entry.provider for entry in listed):
        page.section(provider)
        for entry in listed:
            if entry.provider == provider:
                page.field(entry.id, entry.model.native.get("display_name") or entry.model.id)
    if not listed:
        page.text("There are none.")
    data = {
        "models": [
            {
                "id": entry.id,
                "provider": entry.provider,
                "upstream_model": entry.model.id,
                "display_name": entry.model.native.get("display_name"),
                "owned_by": entry.model.owned_by,
            }
            for entry in listed
        ]
    }
    show(invocation, page=page, data=data)
