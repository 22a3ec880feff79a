"""Thinking blocks and their seals.

``signature`` seals the text of a ``thinking`` block and is refused beside any other text; a
``redacted_thinking`` block is sealed as a whole in ``data`` (Anthropic's documentation, "Extended
thinking", seen 2026-11-22). Reasoning of another dialect's upstream is a thinking block whose
signature is its packed seal.
"""

from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import optional_text
from airelays_app.neutral.request import Reasoning
from airelays_app.neutral.seals import UNSEALED, Seal, is_packed, opened, pack

DIALECT = "messages"
REDACTED = "redacted_thinking"

_SEALED_FIELDS = {"thinking": "signature", REDACTED: "data", "text": "encrypted_index"}


def read_thinking(path: str, block: Json) -> Reasoning:
    """Return the reasoning in a ``thinking`` or ``redacted_thinking`` block of a request."""
    redacted = block["type"] == REDACTED
    text = "" if redacted else optional_text(block, "thinking", path) or ""
    payload = optional_text(block, "data" if redacted else "signature", path)
    if not payload:
        return Reasoning(text)
    native = native_seal(payload, text=None if redacted else text)
    return Reasoning(text, opened(payload, native=native))


def native_seal(payload: str, *, text: str | None) -> Seal:
    """Return the seal of a ``thinking`` block with ``text``, or of a redacted one."""
    return Seal(DIALECT, payload, form=REDACTED if text is None else "", text=text)


def is_redacted(seal: Seal | None) -> bool:
    """Tell whether a seal makes a block of its own."""
    return seal is not None and seal.dialect == DIALECT and seal.form == REDACTED


def signature_of(seal: Seal | None, *, provider: str) -> str:
    """Return the signature for a client; never empty, so that it can be told from a real one."""
    if seal is None:
        return UNSEALED
    return seal.payload if seal.dialect == DIALECT else pack(seal, provider=provider)


def thinking_block(text: str, seal: Seal | None, *, provider: str) -> Json:
    """Return the block that shows reasoning to a client."""
    if seal is not None and is_redacted(seal) and not text:
        return {"type": REDACTED, "data": seal.payload}
    return {
        "type": "thinking",
        "thinking": text,
        "signature": signature_of(seal, provider=provider),
    }


def sealed_block(reasoning: Reasoning) -> Json | None:
    """Return the block that brings reasoning back to its upstream; None without its own seal."""
    seal = reasoning.seal
    if seal is None or seal.dialect != DIALECT:
        return None
    if seal.form == REDACTED:
        return {"type": REDACTED, "data": seal.payload}
    text = reasoning.text if seal.text is None else seal.text
    return {"type": "thinking", "thinking": text, "signature": seal.payload}


def without_packed_seals(body: Json) -> Json:
    """Return the body without what a packed seal seals; the same object if there is none.

    A message that held nothing else goes too, because none may be empty.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    kept = [_without_packed(message) for message in messages]
    if all(new is old for new, old in zip(kept, messages, strict=True)):
        return body
    return {**body, "messages": [message for message in kept if message is not None]}


def _without_packed(message: Any) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    blocks = [_block_without_packed(block) for block in content]
    if all(new is old for new, old in zip(blocks, content, strict=True)):
        return message
    blocks = [block for block in blocks if block is not None]
    return {**message, "content": blocks} if blocks else None


def _block_without_packed(block: Any) -> Any:
    if not isinstance(block, dict):
        return block
    if block.get("type") == "text":
        return _text_without_packed(block)
    field = _SEALED_FIELDS.get(str(block.get("type")), "")
    return None if is_packed(block.get(field)) else block


def _text_without_packed(block: Json) -> Json:
    citations = block.get("citations")
    if not isinstance(citations, list):
        return block
    kept = [citation for citation in citations if not _is_made_up(citation)]
    if len(kept) == len(citations):
        return block
    others = {name: value for name, value in block.items() if name != "citations"}
    return {**others, "citations": kept} if kept else others


def _is_made_up(citation: Any) -> bool:
    return isinstance(citation, dict) and is_packed(citation.get("encrypted_index"))
