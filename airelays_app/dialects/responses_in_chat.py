"""Responses requests on the route of Chat Completions, whose answers they get.

Cursor sends them there for some models (gabrii/Cursor-Azure-GPT-5 69, seen 2026-11-26), and reads
each call as one of a function.
"""

from dataclasses import replace

from airelays_app.dialects.base import Dialect, Json
from airelays_app.dialects.chat import CHAT
from airelays_app.dialects.completion_family import includes_usage
from airelays_app.dialects.responses import RESPONSES
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import HostedTool, Request, Tool

_STREAM_OPTIONS = "stream_options"
_NOT_KEPT = Loss("store", "nothing could be retrieved by the id of the answer")


def is_responses_request(body: Json) -> bool:
    """Tell whether a body on the route of Chat Completions is one of Responses."""
    return "input" in body and "messages" not in body


def _decoded(body: Json) -> tuple[Request, tuple[Loss, ...]]:
    known = {name: value for name, value in body.items() if name != _STREAM_OPTIONS}
    request, losses = RESPONSES.decode_request(known)
    tools = tuple(_called_as_function(tool) for tool in request.tools)
    if body.get("store"):
        losses = (*losses, _NOT_KEPT)
    return replace(request, tools=tools, include_usage=includes_usage(body)), losses


def _called_as_function(tool: Tool | HostedTool) -> Tool | HostedTool:
    if isinstance(tool, Tool) and tool.custom:
        return replace(tool, called_as_function=True)
    return tool


RESPONSES_IN_CHAT = Dialect(
    name=RESPONSES.name,
    replies_in=CHAT.name,
    obeyed_fields=frozenset({_STREAM_OPTIONS}),
    decode_request=_decoded,
    encode_reply=CHAT.encode_reply,
    encoder=CHAT.encoder,
    error_body=CHAT.error_body,
    read_usage=CHAT.read_usage,
    keep_alive=CHAT.keep_alive,
    reply_prefix=CHAT.reply_prefix,
)
