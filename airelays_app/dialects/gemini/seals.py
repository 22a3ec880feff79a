"""Thought signatures.

``thoughtSignature`` is state of the model beside a part of its reply: a call, a text, or an empty
text at the end of a stream. Gemini 3 refuses a step whose first call comes back without it, or
with another one (Google's documentation, "Thought signatures", seen 2026-11-25). A seal says in
``form`` what its signature stood beside, and in ``id`` which call.

Seals of other dialects' upstreams go to the client packed, one behind the other, beside the next
part that it shows: Gemini CLI 0.61 forgets what stands beside thoughts and beside later pieces of
a text (seen 2026-11-25). They are written in the usual alphabet of base64, as Google's own are,
because Google's SDK for Go reads no other. google-genai 3.6 decodes signatures and encodes them
again in the URL-safe alphabet, so both are read.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from airelays_app.dialects.base import Json
from airelays_app.neutral.request import Reasoning
from airelays_app.neutral.seals import PACKED_PREFIX, UNSEALED, Seal, is_packed, opened, pack

DIALECT = "gemini"

Place = Literal["call", "text", "end", "thought"]
"""Beside a call, a text that follows, an empty text of its own, the thought itself."""

UNCHECKED = "skip_thought_signature_validator"
"""What stands for the signature of a call that the model did not make (Google's documentation)."""

_STAND_INS = frozenset({UNCHECKED, "context_engineering_is_the_way_to_go"})
_URL_SAFE = str.maketrans("+/", "-_")
_USUAL = str.maketrans("-_", "+/")


def native_seal(payload: str, place: Place, id_: str | None = None) -> Seal:
    """Return the seal that an upstream's signature is."""
    return Seal(DIALECT, payload, id_, form=place)


def read_signature(part: Json, place: Place, id_: str | None = None) -> Iterator[Seal]:
    """Yield the seals beside a part of a client's request; none for a stand-in."""
    signature = part.get("thoughtSignature")
    if not isinstance(signature, str) or not signature or signature in _STAND_INS:
        return
    if not is_packed_here(signature):
        yield native_seal(signature, place, id_)
        return
    for piece in signature.translate(_URL_SAFE).split(PACKED_PREFIX)[1:]:
        if seal := opened(PACKED_PREFIX + piece, native=Seal(DIALECT, "")):
            yield seal


def is_packed_here(signature: Any) -> bool:
    """Tell whether a signature holds something of ours, in whichever alphabet."""
    return isinstance(signature, str) and is_packed(signature.translate(_URL_SAFE))


class Signing:
    """Knows what goes beside the parts of one reply to a client.

    The first call has a signature at any rate, be it an empty one of ours: so it is known for one
    that Google's models did not make, should one of them be asked to go on.
    """

    def __init__(self, *, provider: str) -> None:
        self._provider = provider
        self._waiting: list[Seal] = []
        self._has_calls = False

    @property
    def has_waiting(self) -> bool:
        """Whether the next part that is no thought has a seal to bring."""
        return bool(self._waiting)

    def take(self, seal: Seal) -> None:
        """Keep a seal for the next part."""
        self._waiting.append(seal)

    def beside(self, *, is_call: bool = False) -> Json:
        """Return the field of the next part that is no thought; empty for none."""
        seals, self._waiting = self._waiting, []
        is_first_call = is_call and not self._has_calls
        self._has_calls = self._has_calls or is_call
        if not seals and not is_first_call:
            return {}
        return {"thoughtSignature": signature_of(seals, provider=self._provider)}


def signature_of(seals: Sequence[Seal], *, provider: str) -> str:
    """Return the signature that brings ``seals`` to a client."""
    if len(seals) == 1 and seals[0].dialect == DIALECT:
        return seals[0].payload
    packed = "".join(pack(seal, provider=provider) for seal in seals)
    return (packed or UNSEALED).translate(_USUAL)


def sealed_part(reasoning: Reasoning) -> Json | None:
    """Return the part that brings a seal back which stands beside no other part; else None."""
    seal = reasoning.seal
    if seal is None or seal.dialect != DIALECT or seal.form in ("call", "text"):
        return None
    if seal.form == "thought":
        return {"text": reasoning.text, "thought": True, "thoughtSignature": seal.payload}
    return {"text": "", "thoughtSignature": seal.payload}


def without_packed_seals(body: Json) -> Json:
    """Return the body without packed signatures; the same object if it has none."""
    contents = body.get("contents")
    if not isinstance(contents, list):
        return body
    kept = [_without_packed(content) for content in contents]
    if all(new is old for new, old in zip(kept, contents, strict=True)):
        return body
    return {**body, "contents": [content for content in kept if content is not None]}


def _without_packed(content: Any) -> Any:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return content
    kept = [_part_without_packed(part) for part in parts]
    if all(new is old for new, old in zip(kept, parts, strict=True)):
        return content
    kept = [part for part in kept if part is not None]
    return {**content, "parts": kept} if kept else None


def _part_without_packed(part: Any) -> Any:
    if not isinstance(part, dict) or not is_packed_here(part.get("thoughtSignature")):
        return part
    rest = {name: value for name, value in part.items() if name != "thoughtSignature"}
    if "functionCall" in rest:
        return {**rest, "thoughtSignature": UNCHECKED}
    return rest if rest.get("text") != "" else None
