"""Signing in: with a browser on this machine, or with a code typed on any other device.

A flow yields :class:`Credentials` bound to the account that signed in; :func:`store_login` puts
them in place. Neither prints or asks anything: that is the command line's part.
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from airelays_app.errors import UpstreamError
from airelays_app.providers.codex import constants
from airelays_app.providers.codex.callback import CallbackListener, Redirect
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.credentials import (
    CredentialFile,
    Credentials,
    UnreadableCredentialsError,
)
from airelays_app.providers.codex.oauth import (
    DeviceCode,
    IssuerRefusedError,
    Poster,
    authorize_url,
    exchange_code,
    fresh_pkce,
    fresh_state,
    poll_device_login,
    start_device_login,
)

_LOCK_WAIT_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class LoginTimeoutError(Exception):
    """Nobody finished the login within the time allowed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The login was not finished within {seconds:.0f} seconds")


class LoginDeclinedError(Exception):
    """The issuer sent the owner back without a login; the message has its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The login was not granted ({_NOT_IN_A_NAME.sub('', reason)[:64]})")


class OtherAccountError(Exception):
    """The file holds the login of another account, which is not silently thrown away."""

    def __init__(self, stored: str, offered: str) -> None:
        super().__init__(f"There is already a login of {stored}; this one is of {offered}")
        self.stored = stored
        self.offered = offered


class OtherWorkspaceError(Exception):
    """The login is of another workspace than the one asked for."""

    def __init__(self) -> None:
        super().__init__("You signed in to another workspace than the one given; nothing is stored")


class BrowserLogin:
    """One login with a browser: a context manager that listens for the browser's return."""

    def __init__(
        self,
        issuer: Issuer,
        post: Poster,
        *,
        workspace_id: str | None = None,
        ports: Sequence[int] = constants.REDIRECT_PORTS,
    ) -> None:
        self._issuer = issuer
        self._post = post
        self._workspace_id = workspace_id
        self._state = fresh_state()
        self._pkce = fresh_pkce()
        self._listener = CallbackListener(self._state, ports=ports)

    def __enter__(self) -> Self:
        """Start to listen; raise ``CallbackPortBusyError`` if no port is free."""
        self._listener.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.__exit__(*error)

    @property
    def url(self) -> str:
        """The address to open in a browser, while listening."""
        return authorize_url(
            self._issuer,
            redirect_uri=self._listener.redirect_uri,
            pkce=self._pkce,
            state=self._state,
            workspace_id=self._workspace_id,
        )

    def paste(self, address: str) -> bool:
        """Take the address that a browser elsewhere was sent to; say whether it is the one."""
        return self._listener.offer(address)

    def finish(
        self,
        *,
        timeout_seconds: float,
        store: Callable[[Credentials], None],
        look: Callable[[], None] = lambda: None,
    ) -> Credentials:
        """Wait for the browser, fetch the tokens, ``store`` them, and let the page say so.

        ``look`` is called a few times a second while waiting. Raises :class:`LoginTimeoutError`,
        :class:`LoginDeclinedError`, :class:`OtherWorkspaceError`, :class:`UpstreamError` and
        whatever ``store`` raises.
        """
        code = self._wait(timeout_seconds, look)
        tokens = exchange_code(
            self._issuer,
            self._post,
            code=code,
            redirect_uri=self._listener.redirect_uri,
            verifier=self._pkce.verifier,
        )
        credentials = Credentials().with_tokens(tokens, at=time.time()).bound()
        if self._workspace_id and credentials.account_id != self._workspace_id:
            raise OtherWorkspaceError
        store(credentials)
        self._listener.conclude(worked=True)
        return credentials

    def _wait(self, timeout_seconds: float, look: Callable[[], None]) -> str:
        deadline = time.monotonic() + timeout_seconds
        redirect: Redirect | None = None
        while redirect is None:
            if time.monotonic() >= deadline:
                raise LoginTimeoutError(timeout_seconds)
            look()
            redirect = self._listener.wait(_LOOK_SECONDS)
        if redirect.code is None:
            raise LoginDeclinedError(redirect.error or "no reason given")
        return redirect.code


class DeviceLogin:
    """One login with a code that the owner types on any device with a browser."""

    def __init__(
        self, issuer: Issuer, post: Poster, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._issuer = issuer
        self._post = post
        self._sleep = sleep

    def start(self) -> DeviceCode:
        """Fetch a code; raise ``DeviceLoginDisabledError`` if the issuer has no such login."""
        return start_device_login(self._issuer, self._post)

    def finish(self, device: DeviceCode, *, timeout_seconds: float) -> Credentials:
        """Ask until the owner has approved, then fetch the tokens.

        A passing failure does not end the login. Raises :class:`LoginTimeoutError` and
        :class:`UpstreamError`.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            try:
                grant = poll_device_login(self._issuer, self._post, device)
            except IssuerRefusedError:
                raise
            except UpstreamError:
                grant = None
            if grant is not None:
                tokens = exchange_code(
                    self._issuer,
                    self._post,
                    code=grant.code,
                    redirect_uri=self._issuer.url(constants.DEVICE_REDIRECT_PATH),
                    verifier=grant.verifier,
                )
                return Credentials().with_tokens(tokens, at=time.time()).bound()
            self._sleep(device.interval)
        raise LoginTimeoutError(timeout_seconds)


def store_login(file: CredentialFile, credentials: Credentials, *, replace: bool = False) -> None:
    """Put a new login in place of what ``file`` holds, and drop any renewal under way.

    Raises :class:`OtherAccountError` unless ``replace``, if the file holds another account's
    login; ``CredentialsBusyError`` and :class:`OSError` if it cannot be written.
    """
    with file.locked(wait_seconds=_LOCK_WAIT_SECONDS):
        if not replace:
            _require_same_account(file, credentials)
        file.save(credentials)
        file.pending_path.unlink(missing_ok=True)


def _require_same_account(file: CredentialFile, offered: Credentials) -> None:
    try:
        stored = file.load()
    except UnreadableCredentialsError:
        return
    account = stored and (stored.bound_account_id or stored.account_id)
    if stored is None or account is None or account == offered.account_id:
        return
    raise OtherAccountError(
        stored.email or "another account", offered.email or "an account without a name"
    )
