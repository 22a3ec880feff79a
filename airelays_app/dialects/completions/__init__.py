"""OpenAI's legacy Completions: spoken by clients only."""

from airelays_app.dialects.base import Dialect
from airelays_app.dialects.completion_family import read_usage
from airelays_app.dialects.completions.reply import CompletionsEncoder, echo, encode_reply
from airelays_app.dialects.completions.request_in import decode_request
from airelays_app.dialects.openai_error import error_body
from airelays_app.framing.sse import KEEP_ALIVE

COMPLETIONS = Dialect(
    name="completions",
    reply_prefix="cmpl-",
    decode_request=decode_request,
    encode_reply=encode_reply,
    encoder=CompletionsEncoder,
    error_body=error_body,
    read_usage=read_usage,
    keep_alive=KEEP_ALIVE,
    echo=echo,
)
