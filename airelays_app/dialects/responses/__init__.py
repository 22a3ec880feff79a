"""OpenAI's Responses."""

from airelays_app.dialects.base import Counting, Dialect, Json
from airelays_app.dialects.openai_error import error_body
from airelays_app.dialects.responses.reply import completed, echo, encode_reply
from airelays_app.dialects.responses.request_in import decode_request, without_packed_seals
from airelays_app.dialects.responses.request_out import encode_request
from airelays_app.dialects.responses.stream_in import ResponsesDecoder, decode_reply
from airelays_app.dialects.responses.stream_out import ResponsesEncoder
from airelays_app.dialects.responses.tap import ResponsesTap
from airelays_app.dialects.responses.usage import read_usage
from airelays_app.framing.sse import KEEP_ALIVE

_COUNTED = frozenset(
    "input instructions parallel_tool_calls reasoning text tool_choice tools truncation".split()
)
"""What a count takes of a request (OpenAI API reference, seen 2026-11-25)."""


def _count(body: Json, model: str) -> Json:
    return {"model": model, **{name: body[name] for name in body if name in _COUNTED}}


RESPONSES = Dialect(
    name="responses",
    reply_prefix="resp_",
    decode_request=decode_request,
    encode_request=encode_request,
    decode_reply=decode_reply,
    encode_reply=encode_reply,
    decoder=ResponsesDecoder,
    encoder=ResponsesEncoder,
    tap=ResponsesTap,
    error_body=error_body,
    read_usage=read_usage,
    keep_alive=KEEP_ALIVE,
    counting=Counting(
        "responses/input_tokens", "input_tokens", _count, (("object", "response.input_tokens"),)
    ),
    echo=echo,
    completed=completed,
    has_custom_tools=True,
    stream_carries_reply=True,
    without_packed_seals=without_packed_seals,
)
