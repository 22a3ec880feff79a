"""OpenAI's Chat Completions."""

from airelays_app.dialects.base import Counting, Dialect, Json
from airelays_app.dialects.chat.foreign_forms import is_plain
from airelays_app.dialects.chat.reasoning import without_packed_seals
from airelays_app.dialects.chat.reply import encode_reply
from airelays_app.dialects.chat.request_in import decode_request
from airelays_app.dialects.chat.request_out import encode_request, unspeakable_stops
from airelays_app.dialects.chat.stream_in import ChatDecoder, decode_reply
from airelays_app.dialects.chat.stream_out import ChatEncoder
from airelays_app.dialects.chat.tap import ChatTap
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.openai_error import error_body
from airelays_app.framing.sse import KEEP_ALIVE

_NOT_COUNTED = frozenset({"stream", "stream_options"})


def _count(body: Json, model: str) -> Json:
    counted = {name: value for name, value in body.items() if name not in _NOT_COUNTED}
    return {**counted, "model": model}


CHAT = Dialect(
    name="chat",
    reply_prefix="chatcmpl-",
    decode_request=decode_request,
    encode_request=encode_request,
    decode_reply=decode_reply,
    encode_reply=encode_reply,
    decoder=ChatDecoder,
    encoder=ChatEncoder,
    tap=ChatTap,
    error_body=error_body,
    read_usage=read_usage,
    keep_alive=KEEP_ALIVE,
    counting=Counting("chat/completions/input_tokens", "input_tokens", _count),
    is_plain=is_plain,
    unspeakable_stops=unspeakable_stops,
    without_packed_seals=without_packed_seals,
)
