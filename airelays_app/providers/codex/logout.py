"""Signing out: the issuer is told, and every copy of the login on this machine is removed."""

from dataclasses import dataclass
from typing import Final

from airelays_app.errors import UpstreamError
from airelays_app.providers.codex.constants import Issuer
from airelays_app.providers.codex.credentials import CredentialFile, UnreadableCredentialsError
from airelays_app.providers.codex.keyring_entry import KeyringEntries
from airelays_app.providers.codex.oauth import Poster, revoke

_LOCK_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What a sign-out did; ``revoked`` is ``None`` if the issuer was not asked."""

    deleted: bool
    revoked: bool | None


def sign_out(
    file: CredentialFile, keyring: KeyringEntries, *, issuer: Issuer, post: Poster, tell: bool
) -> SignedOut:
    """Remove the login; with ``tell``, ask the issuer to forget it first.

    An issuer that cannot be reached or does not agree keeps nobody from signing out. Raises
    ``CredentialsBusyError`` and :class:`OSError` if the file cannot be removed.
    """
    with file.locked(wait_seconds=_LOCK_WAIT_SECONDS):
        token = _refresh_token(file)
        revoked = _revoked(issuer, post, token) if tell and token else None
        deleted = file.delete()
    in_keyring = keyring.delete()
    return SignedOut(deleted=deleted or in_keyring, revoked=revoked)


def _refresh_token(file: CredentialFile) -> str | None:
    try:
        stored = file.load()
    except UnreadableCredentialsError:
        return None
    return stored.refresh_token if stored else None


def _revoked(issuer: Issuer, post: Poster, token: str) -> bool:
    try:
        return revoke(issuer, post, token)
    except UpstreamError:
        return False
