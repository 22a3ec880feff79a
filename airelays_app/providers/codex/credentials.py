"""The stored login: one private JSON file, in the shape that AIRelays and Codex write.

::

    {"bound_account_id": "...",
     "tokens": {"id_token": "...", "access_token": "...", "refresh_token": "...",
                "account_id": "..."},
     "last_refresh": "2026-11-22T10:00:00+00:00"}

``id_token`` may also be an object with ``raw_jwt``. Keys we do not know are kept. A file that
holds only ``OPENAI_API_KEY`` is no login. Source: AIRelays 0.2.4 and 0.22.0 and openai/codex,
seen 2026-11-22.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from airelays_app.providers.codex.claims import read_claims
from airelays_app.store.private_file import make_private_directory, open_private

LOGIN_FILE_NAME: Final = "auth.json"
"""Its name in the data directory."""

_FILE_BYTES_MAX: Final = 1 << 20
_LOCK_POLL_SECONDS: Final = 0.02
_PRIVATE_FILE: Final = 0o600

FileStamp = tuple[int, int, int]
"""Modification time in ns, size, inode: changes whenever the file is replaced or edited."""


class UnreadableCredentialsError(ValueError):
    """The file is there, but it is not a JSON object: torn, emptied or something else's."""


class CredentialsBusyError(Exception):
    """Another process kept the login locked for longer than the bounded wait."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One login. ``last_refresh`` is unix seconds; ``document`` is the JSON object it came from.

    Tokens are left out of ``repr``, so that no traceback or log line can hold them.
    """

    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    stored_account_id: str | None = None
    bound_account_id: str | None = None
    last_refresh: float | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the login in ``document``; values of a wrong type count as absent."""
        tokens = document.get("tokens")
        tokens = tokens if isinstance(tokens, dict) else {}
        return cls(
            access_token=_text(tokens.get("access_token")),
            refresh_token=_text(tokens.get("refresh_token")),
            id_token=_jwt(tokens.get("id_token")),
            stored_account_id=_text(tokens.get("account_id")),
            bound_account_id=_text(document.get("bound_account_id")),
            last_refresh=_moment(document.get("last_refresh")),
            document=document,
        )

    @property
    def account_id(self) -> str | None:
        """The account of the active tokens: what the id token names, else what was stored."""
        return (
            read_claims(self.id_token).account_id
            or self.stored_account_id
            or read_claims(self.access_token).account_id
        )

    @property
    def email(self) -> str | None:
        """The address of the account, as far as a token names it."""
        return read_claims(self.id_token).email or read_claims(self.access_token).email

    @property
    def plan_type(self) -> str | None:
        """The subscription, such as ``plus``, as far as a token names it."""
        return read_claims(self.id_token).plan_type or read_claims(self.access_token).plan_type

    def with_tokens(self, tokens: Mapping[str, str], *, at: float) -> "Credentials":
        """Return this login with the tokens of an issuer's answer received ``at`` unix seconds.

        What the answer leaves out keeps its old value. ``last_refresh`` is the time at which the
        access token was received, so it moves only with that token.
        """
        document = dict(self.document)
        known = document.get("tokens")
        merged = {**(known if isinstance(known, dict) else {}), **tokens}
        account = read_claims(tokens.get("id_token")).account_id
        if account:
            merged["account_id"] = account
        document["tokens"] = merged
        if "access_token" in tokens:
            document["last_refresh"] = datetime.fromtimestamp(at, UTC).isoformat()
        return Credentials.of_document(document)

    def bound(self) -> "Credentials":
        """Return this login bound to the account its tokens name now."""
        return Credentials.of_document({**self.document, "bound_account_id": self.account_id})


def parse_credentials(raw: bytes | str) -> Credentials:
    """Return the login in the JSON text ``raw``; raise :class:`UnreadableCredentialsError`."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableCredentialsError("not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableCredentialsError("not a JSON object")
    return Credentials.of_document(document)


def fingerprint(token: str | None) -> str:
    """Return a digest that tells two tokens apart and gives neither away."""
    return hashlib.sha256((token or "").encode("utf-8", "surrogatepass")).hexdigest()


class CredentialFile:
    """``auth.json``: read without a lock, replaced atomically under ``auth.json.lock``.

    Beside it stand ``auth.json.tmp`` (the next version while it is written) and
    ``auth.json.pending`` (see :mod:`airelays_app.providers.codex.journal`). All are 0600, their
    directory is made 0700. A link is followed, so that the file it names is what is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self._text_path = str(self.path)
        self.pending_path = self._beside("pending")
        self._temporary = self._beside("tmp")
        self._lock_path = self._beside("lock")

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    def stamp(self) -> FileStamp | None:
        """Return what changes when the file does, ``None`` if there is no file. One ``stat``."""
        try:
            found = os.stat(self._text_path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def load(self) -> Credentials | None:
        """Return the stored login, ``None`` if there is no file.

        Raises :class:`UnreadableCredentialsError` if it is not a JSON object or cannot be read.
        """
        try:
            with self.path.open("rb") as stored:
                raw = stored.read(_FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableCredentialsError(error.strerror or "cannot be read") from None
        return parse_credentials(raw)

    def save(self, credentials: Credentials) -> None:
        """Replace the file so that after a crash it is the old or the new one, never a mixture.

        The caller holds :meth:`locked`. Raises :class:`OSError` if it could not be written.
        """
        self.make_directory()
        text = json.dumps(credentials.document, indent=2, ensure_ascii=True) + "\n"
        write_private(self._temporary, text.encode("ascii"))
        self._temporary.replace(self.path)
        sync_directory(self.path.parent)

    def delete(self) -> bool:
        """Remove the login and everything beside it but the lock; say whether there was one."""
        existed = self.path.exists() or self.pending_path.exists()
        for path in (self.path, self.pending_path, self._temporary):
            path.unlink(missing_ok=True)
        if self.path.parent.is_dir():
            sync_directory(self.path.parent)
        return existed

    def make_directory(self) -> None:
        """Make the directory of the file, readable by its owner only."""
        make_private_directory(self.path.parent)

    @contextlib.contextmanager
    def locked(self, *, wait_seconds: float) -> Iterator[int]:
        """Hold the login against every other thread and process; give the lock's descriptor.

        A process that inherits the descriptor holds the lock too, until it ends; the kernel drops
        it then, however that came. Raises :class:`CredentialsBusyError` after ``wait_seconds`` and
        :class:`OSError` if the lock file cannot be made.
        """
        self.make_directory()
        descriptor = open_private(self._lock_path, os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor, wait_seconds)
            yield descriptor
        finally:
            os.close(descriptor)


def _lock(descriptor: int, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise CredentialsBusyError from None
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return


def write_private(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, 0600 from its first byte, and wait until it is on disk."""
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with open(descriptor, "wb") as target:
        os.fchmod(descriptor, _PRIVATE_FILE)
        target.write(content)
        target.flush()
        os.fsync(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until names made, renamed or removed in ``path`` are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _jwt(value: object) -> str | None:
    return _text(value.get("raw_jwt")) if isinstance(value, dict) else _text(value)


def _moment(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
