"""Opaque reasoning state: only what this sandbox sealed comes back open."""

import base64
import binascii
import hashlib
import hmac
import secrets

_PREFIX = "gAAAAA"
_TAG_BYTES = 32
_USUAL = str.maketrans("-_", "+/")
_URL_SAFE = str.maketrans("+/", "-_")


class Sealer:
    """Seals reasoning text and opens its own seals; the key dies with the object."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def seal(self, text: str) -> str:
        """Return an opaque string that ``opens`` to ``text``."""
        body = text.encode("utf-8", "surrogatepass")
        return _PREFIX + base64.urlsafe_b64encode(self._tag(body) + body).decode()

    def opened(self, sealed: str) -> str | None:
        """Return the sealed text, or None for a string that this object did not make."""
        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_PREFIX))
        except (ValueError, binascii.Error):
            return None
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not sealed.startswith(_PREFIX) or not hmac.compare_digest(tag, self._tag(body)):
            return None
        return body.decode("utf-8", "surrogatepass")

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)


class Signatures(Sealer):
    """Thought signatures: nothing but base64, read in either alphabet."""

    def seal(self, text: str) -> str:
        """Return a signature in the usual alphabet."""
        return super().seal(text).removeprefix(_PREFIX).translate(_USUAL)

    def opened(self, sealed: str) -> str | None:
        """Return the sealed text, or None for a signature that this object did not make."""
        return super().opened(_PREFIX + sealed.translate(_URL_SAFE))
