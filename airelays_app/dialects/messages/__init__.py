"""Anthropic's Messages."""

import re

from airelays_app.dialects.base import Counting, Dialect, Json
from airelays_app.dialects.messages.errors import error_body
from airelays_app.dialects.messages.reply import SHOWS_THINKING, encode_reply
from airelays_app.dialects.messages.request_in import asks_for_thinking, decode_request
from airelays_app.dialects.messages.request_out import encode_request, unspeakable_stops
from airelays_app.dialects.messages.stream_in import MessagesDecoder, decode_reply
from airelays_app.dialects.messages.stream_out import PING, MessagesEncoder
from airelays_app.dialects.messages.tap import MessagesTap
from airelays_app.dialects.messages.thinking import without_packed_seals
from airelays_app.dialects.messages.usage import read_usage

_NOT_COUNTED = frozenset(
    "max_tokens metadata service_tier stop_sequences stream temperature top_k top_p".split()
)
"""What a request may have and a count of its tokens refuses (API reference, 2026-11-25)."""


def _count(body: Json, model: str) -> Json:
    counted = {name: value for name, value in body.items() if name not in _NOT_COUNTED}
    return {**counted, "model": model}


def _echo(body: Json) -> Json:
    return {SHOWS_THINKING: asks_for_thinking(body)}


def _cache_key(body: Json) -> object:
    """Return whose request it is; Claude Code names its session there."""
    metadata = body.get("metadata")
    return metadata.get("user_id") if isinstance(metadata, dict) else None


MESSAGES = Dialect(
    name="messages",
    reply_prefix="msg_",
    decode_request=decode_request,
    encode_request=encode_request,
    decode_reply=decode_reply,
    encode_reply=encode_reply,
    decoder=MessagesDecoder,
    encoder=MessagesEncoder,
    tap=MessagesTap,
    error_body=error_body,
    read_usage=read_usage,
    keep_alive=PING,
    cache_key=_cache_key,
    echo=_echo,
    counting=Counting("messages/count_tokens", "input_tokens", _count),
    unspeakable_stops=unspeakable_stops,
    without_packed_seals=without_packed_seals,
    tool_names=re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII),
    refuses_with=400,
    client_headers=("anthropic-version", "anthropic-beta"),
    request_id_header="request-id",
)
