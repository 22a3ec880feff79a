"""``airelays config``: what the settings are, where they came from, and whether they are right."""

import click

from airelays_app.cli.failures import EXIT_CONFIG
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.config.showing import ShownSetting, shown_settings
from airelays_app.errors import ConfigError


@click.group()
@shared_options
def config() -> None:
    """Show and check the settings."""


@config.command("show")
@json_option
@click.option("--changed", is_flag=True, help="Leave out settings that have their default.")
@shared_options
@pass_invocation
def show_settings(invocation: Invocation, *, changed: bool) -> None:
    """Print every setting with its value and where that came from. Secrets are hidden."""
    settings = invocation.settings()
    shown = [
        entry for entry in shown_settings(settings) if not changed or entry.source != "default"
    ]
    page = Page("settings")
    page.section("File")
    page.field("Path", settings.config_path)
    page.field("Exists", settings.config_exists)
    _add_settings(page, shown)
    data = {
        "config_path": settings.config_path and str(settings.config_path),
        "config_exists": settings.config_exists,
        "settings": {
            entry.key: {
                "value": entry.value,
                "source": entry.source,
                "variable": entry.variable,
                "reload": entry.reload,
            }
            for entry in shown
        },
    }
    show(invocation, page=page, data=data)


@config.command()
@json_option
@shared_options
@pass_invocation
def path(invocation: Invocation) -> None:
    """Print the name of the configuration file, whether or not it exists."""
    settings = invocation.settings()
    if not invocation.as_json:
        click.echo(settings.config_path or "")
        return
    data = {"config_path": str(settings.config_path), "config_exists": settings.config_exists}
    show(invocation, page=Page("configuration file"), data=data)


@config.command()
@json_option
@shared_options
@pass_invocation
@click.pass_context
def check(context: click.Context, invocation: Invocation) -> None:
    """Read all settings and say what is wrong with them; exit status 78 if anything is."""
    try:
        settings = invocation.settings()
    except ConfigError as error:
        if not invocation.as_json:
            raise
        data = {"ok": False, "problems": str(error).splitlines()}
        show(invocation, page=Page("settings are wrong"), data=data)
        context.exit(EXIT_CONFIG)
    page = Page("settings are right")
    page.field("File", settings.config_path if settings.config_exists else "none, so defaults hold")
    show(invocation, page=page, data={"ok": True, "problems": []})


def _add_settings(page: Page, shown: list[ShownSetting]) -> None:
    section = ""
    for entry in shown:
        group, _, name = entry.key.rpartition(".")
        if group != section:
            page.section(f"[{group}]")
            section = group
        origin = "" if entry.source == "default" else f"   ({_origin(entry.source)})"
        page.field(name, f"{_shown(entry.value)}{origin}")


def _origin(source: str) -> str:
    """The file is named once, at the top of the page."""
    return "file" if source.startswith("file ") else source


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "not set"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {item}" for name, item in value.items()) or "not set"
    return "not set" if value in (None, "") else str(value)
