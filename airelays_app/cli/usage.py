"""``airelays usage``: how much of the subscription is used, and when it resets."""

from collections.abc import Iterator
from typing import Any

import click

from airelays_app.cli.in_process import relay_core
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.wording import duration


@click.command()
@json_option
@click.option("--raw", is_flag=True, help="With --json: add what the upstream itself said.")
@shared_options
@pass_invocation
def usage(invocation: Invocation, *, raw: bool) -> None:
    """Show how much of the subscription is used, and when it resets.

    The upstream is asked directly, so the relay need not be running.
    """
    if raw and not invocation.as_json:
        raise click.UsageError("--raw needs --json.")
    settings = invocation.settings()
    with relay_core(settings, invocation.environ) as core:
        found = core.subscription.usage().shown(raw=raw)
    show(invocation, page=_page(found), data=found)


def _page(found: dict[str, Any]) -> Page:
    page = Page("usage")
    page.section("Account")
    page.field("Account", found["account"]["email"])
    page.field("Plan", found["account"]["plan_type"])
    page.field("As of", found["captured_at"])
    for name, limit in _limits(found["rate_limits"]):
        page.section(name)
        for window in (limit["primary_window"], limit["secondary_window"]):
            if window:
                page.field(window["window_label"] or "window", _described(window))
        if limit["limit_reached"]:
            page.text("The limit is reached.")
    return page


def _limits(limits: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    named = [("Requests", limits["default"]), ("Code review", limits["code_review"])]
    named += [
        (entry["limit_name"] or entry["metered_feature"] or "Further", entry["rate_limit"])
        for entry in limits["additional"]
    ]
    return ((name, limit) for name, limit in named if limit)


def _described(window: dict[str, Any]) -> str:
    used, after = window["used_percent"], window["reset_after_seconds"]
    words = (
        "unknown" if used is None else f"{used:g} % used, {window['remaining_percent']:g} % left"
    )
    return words if after is None else f"{words}, resets in {duration(after)}"
