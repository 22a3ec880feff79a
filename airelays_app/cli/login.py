"""``airelays login``: sign in at the ChatGPT subscription, with a browser or with a code."""

import contextlib
import sys
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from airelays_app.cli.failures import Failure, TryAgain
from airelays_app.cli.options import Invocation, json_option, pass_invocation, shared_options
from airelays_app.cli.page import Page, show
from airelays_app.cli.terminal_lines import TerminalLines
from airelays_app.cli.wording import printable
from airelays_app.config import Settings
from airelays_app.providers.codex.callback import CallbackPortBusyError
from airelays_app.providers.codex.credentials import Credentials, CredentialsBusyError
from airelays_app.providers.codex.from_settings import LoginParts, login_parts
from airelays_app.providers.codex.login import (
    BrowserLogin,
    DeviceLogin,
    LoginDeclinedError,
    LoginTimeoutError,
    OtherAccountError,
    OtherWorkspaceError,
    store_login,
)
from airelays_app.providers.codex.oauth import DeviceLoginDisabledError

_REMOTE_SHELL = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")

_BROWSER_STEPS = """Open this address in a browser:

  {url}

If that browser is on another machine, it ends on an address that it cannot open, beginning with
http://localhost. Paste that address here and press Enter, or use: airelays login --device
Waiting for the browser (Ctrl-C to stop) ...
"""
_DEVICE_STEPS = """1. Open this address on any device:   {page}
2. Sign in there and enter this code: {code}

Give the code to nobody: it opens your account to this machine.
Waiting for your approval (Ctrl-C to stop) ...
"""


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the command line asked for; ``aside`` sends what a person is to do to standard error."""

    open_browser: bool
    workspace_id: str | None
    replace: bool
    timeout_seconds: int
    aside: bool


@click.command()
@json_option
@click.option("--device", is_flag=True, help="Log in with a code that you type on any device.")
@click.option("--browser", is_flag=True, help="Log in with a browser here, and open it.")
@click.option(
    "--no-browser", is_flag=True, help="Log in with a browser, but print the address only."
)
@click.option("--workspace-id", metavar="ID", help="Log in to this workspace of the account.")
@click.option("--replace", is_flag=True, help="Replace the login of another account.")
@click.option("--account", metavar="NAME", default="", help="Add a further login, called NAME.")
@shared_options
@pass_invocation
def login(
    invocation: Invocation,
    *,
    device: bool,
    browser: bool,
    no_browser: bool,
    workspace_id: str | None,
    replace: bool,
    account: str,
) -> None:
    """Log in to the ChatGPT subscription.

    Over SSH, or without a display, you get a code to type on another device; otherwise an address
    to open in a browser.
    """
    if device + browser + no_browser > 1:
        raise click.UsageError("Choose one of --device, --browser and --no-browser.")
    if device and workspace_id:
        raise click.UsageError("--workspace-id needs a browser; it cannot be used with --device.")
    settings = invocation.settings()
    wishes = _Wishes(
        open_browser=browser or (settings.auth.browser_open and not no_browser),
        workspace_id=workspace_id,
        replace=replace,
        timeout_seconds=settings.auth.login_timeout_seconds,
        aside=invocation.as_json,
    )
    parts = parts_of(settings, invocation.environ, account)
    by_browser = browser or no_browser or workspace_id is not None
    with login_errors():
        if device:
            credentials = _with_device(parts, wishes)
        elif by_browser or not is_headless(invocation.environ):
            credentials = _with_browser(parts, wishes)
        else:
            credentials = _with_either(parts, wishes)
    show(invocation, page=_logged_in(credentials), data=_data(credentials))


def parts_of(settings: Settings, environ: Mapping[str, str], account: str) -> LoginParts:
    """Return the parts of one login; raises UsageError for a name that it cannot have."""
    try:
        return login_parts(settings, environ=environ, account=account)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def is_headless(environ: Mapping[str, str], *, platform: str = sys.platform) -> bool:
    """Say whether a browser opened here would not be seen by the person at the terminal."""
    if any(environ.get(name) for name in _REMOTE_SHELL):
        return True
    return platform == "linux" and not any(environ.get(name) for name in _DISPLAYS)


@contextlib.contextmanager
def login_errors() -> Iterator[None]:
    """Say in a sentence what may go wrong with a login or a logout."""
    try:
        yield
    except OtherAccountError as error:
        raise Failure(f"{error}. To replace it: airelays login --replace") from error
    except CredentialsBusyError as error:
        raise TryAgain("The login is being renewed right now. Try again in a minute.") from error
    except (
        CallbackPortBusyError,
        LoginDeclinedError,
        LoginTimeoutError,
        OtherWorkspaceError,
    ) as error:
        raise Failure(str(error)) from error


def _with_either(parts: LoginParts, wishes: _Wishes) -> Credentials:
    try:
        return _with_device(parts, wishes)
    except DeviceLoginDisabledError as error:
        click.echo(f"{error}.", err=True)
        return _with_browser(parts, wishes)


def _with_device(parts: LoginParts, wishes: _Wishes) -> Credentials:
    flow = DeviceLogin(parts.issuer, parts.post)
    code = flow.start()
    steps = _DEVICE_STEPS.format(page=code.page, code=printable(code.user_code))
    click.echo(steps, err=wishes.aside)
    credentials = flow.finish(code, timeout_seconds=wishes.timeout_seconds)
    _store(parts, credentials, wishes)
    return credentials


def _with_browser(parts: LoginParts, wishes: _Wishes) -> Credentials:
    with BrowserLogin(
        parts.issuer,
        parts.post,
        workspace_id=wishes.workspace_id,
        ports=parts.callback_ports,
    ) as flow:
        click.echo(_BROWSER_STEPS.format(url=flow.url), err=wishes.aside)
        if wishes.open_browser and not webbrowser.open(flow.url):
            click.echo("No browser could be opened; open the address yourself.", err=True)
        terminal = TerminalLines(sys.stdin)

        def look() -> None:
            for line in terminal.arrived():
                if line and not flow.paste(line):
                    click.echo("That is not the address that this login ends on.", err=True)

        return flow.finish(
            timeout_seconds=wishes.timeout_seconds,
            store=lambda credentials: _store(parts, credentials, wishes),
            look=look,
        )


def _store(parts: LoginParts, credentials: Credentials, wishes: _Wishes) -> None:
    try:
        store_login(parts.file, credentials, replace=wishes.replace)
    except OtherAccountError as error:
        if not sys.stdin.isatty() or not click.confirm(f"{error}. Replace it?", err=wishes.aside):
            raise
        store_login(parts.file, credentials, replace=True)


def _logged_in(credentials: Credentials) -> Page:
    page = Page("logged in")
    page.section("Upstream Session")
    page.field("Account", credentials.email)
    page.field("Plan", credentials.plan_type)
    page.steps(["Start the relay, if it is not running: airelays serve"])
    return page


def _data(credentials: Credentials) -> dict[str, str | None]:
    return {
        "email": credentials.email,
        "plan_type": credentials.plan_type,
        "account_id": credentials.account_id,
    }
