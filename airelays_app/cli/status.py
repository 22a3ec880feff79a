"""``airelays status``: how things stand, from the settings and files; no upstream is asked."""

import click

from airelays_app.cli.addresses import base_url
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.relay_api import RelayApi, local_url
from airelays_app.cli.running import process_serving
from airelays_app.cli.token_store import add_client_setup, client_setup
from airelays_app.cli.wording import PROBLEMS, readiness
from airelays_app.config import Settings
from airelays_app.dialects.base import Json
from airelays_app.providers.codex.credentials import LOGIN_FILE_NAME
from airelays_app.providers.registry import Surroundings, build_providers
from airelays_app.services.status import (
    APP_NAME,
    auth_summary,
    next_steps,
    provider_states,
    relay_summary,
    states_shown,
)
from airelays_app.store.tokens import open_tokens
from airelays_app.version import VERSION

_OTHER_STEP = "Find out whose relay answers at that address: airelays doctor"


@click.command()
@json_option
@shared_options
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show how things stand, whether or not the relay is running.

    No upstream is asked; airelays doctor does that, and says what to do about each problem.
    """
    settings = invocation.settings()
    tokens = open_tokens(settings)
    states = provider_states(build_providers(settings, Surroundings(environ=invocation.environ)))
    running = _running(settings)
    has_token = not settings.security.require_bearer_auth or tokens.any_exists()
    steps = next_steps(states, has_token=has_token)
    if not running["process"]:
        steps.append(_OTHER_STEP if running["answers"] else "Start the relay: airelays serve")
    data = {
        "app_name": APP_NAME,
        "version": VERSION,
        "running": running,
        "relay": relay_summary(settings, tokens, client_base_url=base_url(settings)),
        "auth": auth_summary(
            states, settings=settings, login_file=settings.paths.data_dir / LOGIN_FILE_NAME
        ),
        "providers": states_shown(states),
        "client": client_setup(settings),
        "next_steps": steps,
    }
    show(invocation, page=_page(data), data=data)


def _running(settings: Settings) -> Json:
    url = local_url(settings)
    with RelayApi(url) as api:
        identity = api.identity() if settings.server.port else None
    answers = (identity or {}).get("app_name") == APP_NAME
    process = process_serving(settings.paths.data_dir)
    return {"answers": answers, "process": process, "url": url}


def _page(data: Json) -> Page:
    page = Page("status")
    _add_relay(page, data["relay"], data["running"])
    _add_session(page, data["auth"])
    page.section("Providers")
    for name, state in data["providers"].items():
        page.field(name, readiness(state))
    has_token = data["relay"]["bearer_token_present"]
    add_client_setup(page, data["client"], has_token=has_token)
    page.steps(data["next_steps"])
    return page


def _add_relay(page: Page, relay: Json, running: Json) -> None:
    page.section("Relay")
    page.field("State", _state(running))
    page.field("Address", f"{relay['host']}:{relay['port']}")
    page.field("Configuration", relay["config_path"] if relay["config_exists"] else "none")
    page.field("Data folder", relay["data_dir"])
    page.field("Token required", relay["require_bearer_auth"])
    page.field("Token", relay["bearer_token_source"] or "none")


def _state(running: Json) -> str:
    """Return what the process that holds the data folder and what answers have in common."""
    if process := running["process"]:
        return f"running, process {process}{'' if running['answers'] else ', at another address'}"
    return "not running; another AIRelays answers there" if running["answers"] else "not running"


def _add_session(page: Page, auth: Json) -> None:
    page.section("Upstream Session")
    page.field("Logged in", auth["authenticated"])
    if not auth["credentials_present"]:
        return
    page.field("Account", auth["email"])
    page.field("Plan", auth["plan_type"])
    page.field("Problem", PROBLEMS.get(auth["problem"], auth["problem"]) or "none")
    page.field("Renewed", auth["last_refresh"])
    page.field("Expires", auth["expires_at"])
