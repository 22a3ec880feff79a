"""The login that early versions kept in the desktop's keyring.

Source: AIRelays 0.2.4 (service ``AIRelays Auth``, before that ``AIRelay Auth``; user name
``cli|`` and 16 hex digits of a digest of the data directory), seen 2026-11-22. A login found
there is *moved* into the login file: several workers share it and renew it, and a second copy of
a rotating token is a dead one. Keyrings are known to hang on headless machines, so every call
runs in a thread that is left behind after a few seconds.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar

from airelays_app.providers.codex.credentials import (
    CredentialFile,
    Credentials,
    CredentialsBusyError,
    UnreadableCredentialsError,
    parse_credentials,
)

StorageMode = Literal["auto", "file", "keyring"]
SERVICES: Final = ("AIRelays Auth", "AIRelay Auth")
WAIT_SECONDS: Final = 3.0
_LOCK_WAIT_SECONDS: Final = 5.0
_Result = TypeVar("_Result")


class Keyring(Protocol):
    """The two calls of the ``keyring`` package that are used."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Return the secret, ``None`` if there is none."""

    def delete_password(self, service_name: str, username: str) -> None:
        """Remove the secret; raises if there is none."""


try:
    import keyring as _package

    INSTALLED_KEYRING: Keyring | None = _package
except ImportError:
    INSTALLED_KEYRING = None
"""The optional ``keyring`` package."""


class KeyringEntries:
    """Where a login for one of ``data_directories`` may be in a keyring, newest place first."""

    def __init__(
        self,
        keyring: Keyring | None,
        data_directories: Sequence[Path],
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._keyring = keyring
        self._wait_seconds = wait_seconds
        self._places = [
            (service, _username(directory))
            for directory in data_directories
            for service in SERVICES
        ]

    def find(self) -> Credentials | None:
        """Return the first login found; ``None`` if there is none or the keyring is unwell."""
        keyring = self._keyring
        if keyring is None:
            return None
        return _within(self._wait_seconds, lambda: self._find(keyring))

    def delete(self) -> bool:
        """Remove every entry of ours; say whether there was one."""
        keyring = self._keyring
        if keyring is None:
            return False
        return _within(self._wait_seconds, lambda: self._delete(keyring)) or False

    def _find(self, keyring: Keyring) -> Credentials | None:
        for service, username in self._places:
            secret = keyring.get_password(service, username)
            with contextlib.suppress(UnreadableCredentialsError):  # not a login: look further
                found = parse_credentials(secret) if secret else Credentials()
                if found.access_token or found.refresh_token:
                    return found
        return None

    def _delete(self, keyring: Keyring) -> bool:
        deleted = False
        for service, username in self._places:
            if keyring.get_password(service, username) is not None:
                keyring.delete_password(service, username)
                deleted = True
        return deleted


def adopt_keyring_login(
    file: CredentialFile, entries: KeyringEntries, *, mode: StorageMode
) -> bool:
    """Move a login from the keyring into ``file`` if there is no file yet and ``mode`` permits.

    To be called once, when a process starts. Says whether a login was moved; a keyring that is
    missing, locked, broken or silent is no login. Raises :class:`OSError` if the file cannot be
    written.
    """
    if mode == "file" or file.stamp() is not None:
        return False
    found = entries.find()
    if found is None:
        return False
    try:
        with file.locked(wait_seconds=_LOCK_WAIT_SECONDS):
            if file.stamp() is not None:
                return False
            file.save(found)
    except CredentialsBusyError:
        return False
    entries.delete()
    return True


def _username(directory: Path) -> str:
    digest = hashlib.sha256(str(directory.expanduser().resolve()).encode()).hexdigest()
    return f"cli|{digest[:16]}"


def _within(seconds: float, call: Callable[[], _Result]) -> _Result | None:
    """Return ``call()``, ``None`` if it raised or has not returned after ``seconds``."""
    results: list[_Result] = []

    def run() -> None:
        with contextlib.suppress(Exception):  # back ends raise whatever their desktop raises
            results.append(call())

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else None
