"""The owner's device tokens: the credentials with which clients reach this relay.

The *main* token stands alone in a text file (token and newline, the format of earlier releases)
because ``token show`` must be able to print it; a token from the environment takes its place.
Further tokens have names, one per device; of those only SHA-256 digests are kept, so each secret
is seen once, when it is made. Both files are 0600 from their first byte, replaced whole by a
rename, and changed under one lock file. Every process notices a change by the files' status, so
rotation and revocation hold from the next request on, without a restart.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from airelays_app.config import Settings
from airelays_app.errors import ConfigError
from airelays_app.store.private_file import make_private_directory, replace_file

MAIN = "main"
MINIMUM_CHARACTERS = 16
_MAXIMUM_CHARACTERS = 4096
_NAME_CHARACTERS = 64
_FINGERPRINT_CHARACTERS = 12
_SETTLED_SECONDS = 0.1

_log = logging.getLogger(__name__)

TokenSource = Literal["env", "file"]
_FileStatus = tuple[int, int, int, int] | None


class TokenNameError(Exception):
    """There is no token of that name, or there cannot be one; the message says why."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Who is asking: the token's ``name``, and 12 hex digits of its SHA-256 for logs and rows."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One token as ``token list`` shows it; ``created_at`` is Unix seconds, None if unknown."""

    name: str
    fingerprint: str
    created_at: int | None
    source: TokenSource


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    sha256: str
    created_at: int | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the files held when their status was ``statuses``."""

    statuses: tuple[_FileStatus, _FileStatus]
    settled: bool
    digests: tuple[tuple[bytes, Credential], ...]


def fingerprint(token: str) -> str:
    """Return the first 12 hex digits of the token's SHA-256."""
    return _digest(token.encode()).hex()[:_FINGERPRINT_CHARACTERS]


def require_strong(token: str, *, setting: str) -> str:
    """Return ``token`` if an owner may use it, else raise ConfigError naming ``setting``.

    It travels in a header, so it is printable ASCII without spaces; 16 to 4096 characters.
    """
    if not all("!" <= character <= "~" for character in token):
        raise ConfigError(f"{setting} must be printable ASCII without spaces.")
    if not MINIMUM_CHARACTERS <= len(token) <= _MAXIMUM_CHARACTERS:
        raise ConfigError(
            f"{setting} must have {MINIMUM_CHARACTERS} to {_MAXIMUM_CHARACTERS} characters; "
            "'airelays token rotate' makes a good one."
        )
    return token


class DeviceTokens:
    """The tokens in ``main_path`` and ``named_path``, and the one from the environment if given.

    Raises ConfigError at once when the environment's token is too weak. A weak or unreadable
    *file* opens nothing: :meth:`check` says so, :meth:`identify` refuses whoever offers it.
    """

    def __init__(
        self, *, main_path: Path, named_path: Path, environment_token: str | None = None
    ) -> None:
        self._main_path = main_path
        self._named_path = named_path
        self._environment_token = environment_token or None
        if self._environment_token is not None:
            require_strong(self._environment_token, setting="AIRELAYS_BEARER_TOKEN")
        self._loaded: _Loaded | None = None

    def identify(self, offered: bytes) -> Credential | None:
        """Return whose token ``offered`` is, or None; every known digest is compared in full."""
        digest = _digest(offered)
        found = None
        for known, credential in self._known():
            if hmac.compare_digest(known, digest):
                found = credential
        return found

    def any_exists(self) -> bool:
        """Return whether at least one token would be accepted."""
        return bool(self._known())

    def check(self) -> None:
        """Raise ConfigError for a token file that cannot be used as it is."""
        self._main_in_file()
        self._named()

    def ensure(self) -> bool:
        """Make a main token unless there is one; return whether one was made."""
        if self._environment_token is not None:
            return False
        with self._changing():
            if self._main_in_file() is not None:
                return False
            self._write_main(secrets.token_urlsafe(32))
            return True

    def show(self) -> str | None:
        """Return the main token, or None when there is none."""
        return self._environment_token or self._main_in_file()

    def source(self) -> TokenSource | None:
        """Return where the main token comes from."""
        if self._environment_token is not None:
            return "env"
        return None if self._main_in_file() is None else "file"

    def rotate(self, name: str = MAIN) -> str:
        """Replace the secret of ``name`` and return the new one; the old one ends at once.

        Raises TokenNameError for an unknown name, ConfigError when the environment sets the main
        token.
        """
        token = secrets.token_urlsafe(32)
        with self._changing():
            if name == MAIN:
                self._refuse_environment("rotated")
                self._write_main(token)
            else:
                others = self._without(name)
                self._write_named((*others, _named(name, token)))
        return token

    def add(self, name: str) -> str:
        """Make a token for the device ``name`` and return its secret, which is not kept.

        Raises TokenNameError when the name is taken or is not 1 to 64 printable characters.
        """
        if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= _NAME_CHARACTERS:
            raise TokenNameError(
                f"A token's name has 1 to {_NAME_CHARACTERS} printable characters."
            )
        token = secrets.token_urlsafe(32)
        with self._changing():
            named = self._named()
            if name == MAIN or any(entry.name == name for entry in named):
                raise TokenNameError(f"A token named {name!r} exists; revoke or rotate it.")
            self._write_named((*named, _named(name, token)))
        return token

    def revoke(self, name: str) -> None:
        """End the token ``name`` for good; raises like :meth:`rotate`."""
        with self._changing():
            if name != MAIN:
                self._write_named(self._without(name))
                return
            self._refuse_environment("revoked")
            if self._main_in_file() is None:
                raise TokenNameError("There is no main token.")
            self._main_path.unlink()

    def list(self) -> tuple[TokenEntry, ...]:
        """Return every token, the main one first, without secrets."""
        main, source = self.show(), self.source()
        entries = [] if main is None or source is None else [self._main_entry(main, source)]
        entries += [
            TokenEntry(named.name, _short(named.sha256), named.created_at, "file")
            for named in self._named()
        ]
        return tuple(entries)

    def _main_entry(self, token: str, source: TokenSource) -> TokenEntry:
        created = int(self._main_path.stat().st_mtime) if source == "file" else None
        return TokenEntry(MAIN, fingerprint(token), created, source)

    def _known(self) -> tuple[tuple[bytes, Credential], ...]:
        statuses = (_status(self._main_path), _status(self._named_path))
        loaded = self._loaded
        if loaded is None or not loaded.settled or loaded.statuses != statuses:
            loaded = self._load(statuses)
            self._loaded = loaded
        return loaded.digests

    def _load(self, statuses: tuple[_FileStatus, _FileStatus]) -> _Loaded:
        now = time.time_ns()
        digests = (*self._main_digest(), *self._named_digests())
        return _Loaded(statuses, all(_is_settled(status, now) for status in statuses), digests)

    def _main_digest(self) -> tuple[tuple[bytes, Credential], ...]:
        try:
            token = self.show()
        except ConfigError as error:
            _log.warning("no main token: %s", error)
            return ()
        if token is None:
            return ()
        return ((_digest(token.encode()), Credential(MAIN, fingerprint(token))),)

    def _named_digests(self) -> tuple[tuple[bytes, Credential], ...]:
        try:
            named = self._named()
        except ConfigError as error:
            _log.warning("no device tokens: %s", error)
            return ()
        return tuple(
            (bytes.fromhex(entry.sha256), Credential(entry.name, _short(entry.sha256)))
            for entry in named
        )

    def _main_in_file(self) -> str | None:
        content = _read(self._main_path, setting="relay-token")
        if content is None:
            return None
        return require_strong(content.strip(), setting="relay-token")

    def _named(self) -> tuple[_Named, ...]:
        content = _read(self._named_path, setting="tokens.json")
        if content is None:
            return ()
        try:
            return tuple(_named_in(entry) for entry in json.loads(content)["tokens"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError("tokens.json is damaged; restore it or delete it.") from None

    def _without(self, name: str) -> tuple[_Named, ...]:
        named = self._named()
        others = tuple(entry for entry in named if entry.name != name)
        if len(others) == len(named):
            raise TokenNameError(f"There is no token named {name!r}; see 'airelays token list'.")
        return others

    def _refuse_environment(self, verb: str) -> None:
        if self._environment_token is not None:
            raise ConfigError(
                f"The main token comes from AIRELAYS_BEARER_TOKEN and cannot be {verb} here; "
                "change or unset that variable."
            )

    def _write_main(self, token: str) -> None:
        replace_file(self._main_path, f"{token}\n".encode())

    def _write_named(self, named: tuple[_Named, ...]) -> None:
        entries = [
            {"name": entry.name, "sha256": entry.sha256, "created_at": entry.created_at}
            for entry in named
        ]
        content = json.dumps({"version": 1, "tokens": entries}, indent=1)
        replace_file(self._named_path, f"{content}\n".encode())

    def _changing(self) -> AbstractContextManager[Any]:
        make_private_directory(self._named_path.parent)
        return FileLock(self._named_path.with_name("tokens.lock"), mode=0o600, timeout=30)


def open_tokens(settings: Settings) -> DeviceTokens:
    """Return the owner's tokens; raises ConfigError for a weak one in the environment."""
    return DeviceTokens(
        main_path=settings.security.bearer_token_file,
        named_path=settings.paths.data_dir / "tokens.json",
        environment_token=settings.security.bearer_token,
    )


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _short(sha256: str) -> str:
    return sha256[:_FINGERPRINT_CHARACTERS]


def _named(name: str, token: str) -> _Named:
    return _Named(name, _digest(token.encode()).hex(), int(time.time()))


def _named_in(entry: dict[str, Any]) -> _Named:
    name, sha256, created_at = entry["name"], entry["sha256"], entry.get("created_at")
    if not isinstance(name, str) or len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
        raise ValueError
    return _Named(name, sha256.lower(), created_at if isinstance(created_at, int) else None)


def _read(path: Path, *, setting: str) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigError(f"{setting} must be printable ASCII.") from None
    except OSError as error:
        raise ConfigError(f"{setting} cannot be read: {error.strerror}.") from None


def _status(path: Path) -> _FileStatus:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_settled(status: _FileStatus, now_ns: int) -> bool:
    """Return False for a file so young that a second change may leave the same status."""
    if status is None:
        return True
    return abs(now_ns - status[3]) > _SETTLED_SECONDS * 1e9
