"""Opaque state of an upstream that has to come back with the next turn.

A client keeps it in the opaque field that its own dialect has for such things. If that is not the
dialect it was made in, it is packed: a versioned prefix, then all that is needed to restore it, in
characters that are legal wherever base64 is. Nothing is kept on the server.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from airelays_app.framing.jsontext import dumps, loads

PACKED_PREFIX = "airelays_seal_1_"

UNSEALED = PACKED_PREFIX
"""What stands in a field that must not be empty, for reasoning that has no seal."""


_PACKED_ANYWHERE = re.compile(rb"airelays[_/]seal[_/]1[_/]")


@dataclass(frozen=True, slots=True)
class Seal:
    """Reasoning state as its vendor wrote it.

    ``dialect`` names the wire it came from and the only one it may be sent back on; ``payload``
    is the vendor's text, byte for byte; ``id`` is the id of the item it belongs to; ``form`` is
    the vendor's word for what is sealed, where its dialect has several. ``text`` is what the seal
    was made for, where the vendor checks that it comes back unchanged. ``provider`` is the name of
    the owner's provider that made it; empty if the client had it in a field of that dialect.
    """

    dialect: str
    payload: str
    id: str | None = None
    form: str = ""
    text: str | None = None
    provider: str = ""


def pack(seal: Seal, *, provider: str) -> str:
    """Return ``seal``, made by ``provider``, as text for a field of another dialect.

    It is whole base64 without padding, however often it is decoded and encoded again, and so are
    several of them one behind the other.
    """
    fields = dumps([seal.dialect, seal.form, provider, seal.payload, seal.id, seal.text])
    whole = b" " * (-len(fields) % 3) + fields
    return PACKED_PREFIX + base64.urlsafe_b64encode(whole).decode()


def is_packed(value: Any) -> bool:
    """Tell whether an opaque field holds something of ours, which no vendor may ever see."""
    return isinstance(value, str) and value.startswith(PACKED_PREFIX)


def may_hold_packed(text: bytes) -> bool:
    """Tell whether a packed seal can be in ``text``, be it in the other alphabet of base64."""
    return _PACKED_ANYWHERE.search(text) is not None


def opened(text: str, *, native: Seal) -> Seal | None:
    """Return the seal in a client's opaque field: ``native`` unless it is packed.

    None for :data:`UNSEALED` and for what somebody has damaged.
    """
    if not is_packed(text):
        return native
    fields = _fields_of(text.removeprefix(PACKED_PREFIX))
    if not _are_fields(fields):
        return None
    dialect, form, provider, payload, id_, bound = fields
    return Seal(dialect, payload, id_, form=form, text=bound, provider=provider)


def _fields_of(packed: str) -> Any:
    try:
        padded = packed + "=" * (-len(packed) % 4)
        return loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:  # binascii.Error, JsonTextError and what is not ASCII
        return None


def _are_fields(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 6:
        return False
    required, optional = value[:4], value[4:]
    return all(isinstance(field, str) for field in required) and all(
        field is None or isinstance(field, str) for field in optional
    )
