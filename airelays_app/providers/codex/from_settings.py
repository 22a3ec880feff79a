"""The parts of the subscription login, as the settings describe them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airelays_app.config import Settings
from airelays_app.config.locations import home_of
from airelays_app.config.proxies import no_proxy_of, proxies_of
from airelays_app.providers.codex.constants import REDIRECT_PORTS, USER_AGENT, Issuer
from airelays_app.providers.codex.courier import Courier, MessengerCourier
from airelays_app.providers.codex.credentials import LOGIN_FILE_NAME, CredentialFile
from airelays_app.providers.codex.keyring_entry import (
    INSTALLED_KEYRING,
    KeyringEntries,
    adopt_keyring_login,
)
from airelays_app.providers.codex.oauth import Poster
from airelays_app.providers.codex.session import CodexSession
from airelays_app.providers.codex.transport import issuer_poster
from airelays_app.upstream.client import ClientOptions

ACCOUNTS_FOLDER: Final = "accounts"
"""Where further logins are, one folder each (as AIRelays 0.22 has them, seen 2026-11-22)."""

_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]{0,99}", re.ASCII)
_DEFAULT_DIRECTORIES: Final = (".airelays", ".airelay")


@dataclass(frozen=True, slots=True)
class LoginParts:
    """Where the login is kept, who issues it, how the issuer is asked and what it may call back."""

    file: CredentialFile
    keyring: KeyringEntries
    issuer: Issuer
    post: Poster
    courier: Courier
    callback_ports: Sequence[int]


def login_parts(
    settings: Settings, *, environ: Mapping[str, str] = os.environ, account: str = ""
) -> LoginParts:
    """Return the parts of the main login, or of a further ``account``.

    Nothing is opened, read or sent yet.
    """
    upstream = settings.upstream
    data_dir = login_folder(settings, account)
    options = ClientOptions(
        proxies=proxies_of(upstream),
        no_proxy=no_proxy_of(upstream),
        ca_bundle=str(upstream.ca_bundle) if upstream.ca_bundle else None,
    )
    issuer = Issuer(upstream.issuer_base_url, upstream.client_id, upstream.originator)
    user_agent = upstream.user_agent or USER_AGENT
    connect_timeout = upstream.connect_timeout_seconds
    return LoginParts(
        file=CredentialFile(data_dir / LOGIN_FILE_NAME),
        keyring=KeyringEntries(INSTALLED_KEYRING, _directories(data_dir, environ)),
        issuer=issuer,
        post=issuer_poster(options, user_agent=user_agent, connect_timeout=connect_timeout),
        courier=MessengerCourier(
            issuer, options, user_agent=user_agent, connect_timeout=connect_timeout
        ),
        callback_ports=_ports(settings.auth.callback_port),
    )


def login_folder(settings: Settings, account: str = "") -> Path:
    """Return the folder of a login: the data directory, or one below it for each further one.

    Raises ValueError for a name that cannot be a folder's.
    """
    data_dir = settings.paths.data_dir
    if not account:
        return data_dir
    if not _ACCOUNT_NAME.fullmatch(account):
        raise ValueError("An account's name has letters, digits, '.', '_', '@' and '-' only.")
    return data_dir / ACCOUNTS_FOLDER / account


def further_accounts(settings: Settings) -> list[str]:
    """Return the names of the logins beside the main one, in their order.

    A folder that no account can be called after, such as a copy, is none.
    """
    folder = settings.paths.data_dir / ACCOUNTS_FOLDER
    names = sorted(path.parent.name for path in folder.glob(f"*/{LOGIN_FILE_NAME}"))
    return [name for name in names if _ACCOUNT_NAME.fullmatch(name)]


def open_session(
    settings: Settings, *, environ: Mapping[str, str] = os.environ, account: str = ""
) -> CodexSession:
    """Return the session of a process, after moving in a login left in the keyring.

    Takes some seconds if there is no login file and a keyring that does not answer. Raises
    :class:`OSError` if a login was found there and cannot be written.
    """
    parts = login_parts(settings, environ=environ, account=account)
    if not account:
        adopt_keyring_login(parts.file, parts.keyring, mode=settings.auth.storage)
    return CodexSession(
        parts.file,
        courier=parts.courier,
        renew_ahead_seconds=settings.auth.refresh_margin_seconds,
    )


def _directories(data_dir: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the data directories whose keyring entry may be ours, today's first."""
    home = home_of(environ)
    usual = [home / name for name in _DEFAULT_DIRECTORIES] if home else []
    if data_dir not in usual:
        return [data_dir]
    return [data_dir, *(directory for directory in usual if directory != data_dir)]


def _ports(configured: int) -> Sequence[int]:
    return REDIRECT_PORTS if configured == REDIRECT_PORTS[0] else (configured,)
