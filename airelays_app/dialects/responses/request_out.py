"""The neutral request, written as a Responses request."""

from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.call_arguments import NO_ARGUMENTS
from airelays_app.dialects.openai_user import short_user
from airelays_app.dialects.responses.request_in import DIALECT, SEALS
from airelays_app.neutral.capabilities import AS_THE_DIALECT_SAYS, Capabilities
from airelays_app.neutral.effort import effort_word
from airelays_app.neutral.losses import Loss, left_out
from airelays_app.neutral.request import (
    Audio,
    File,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    has_cache_hints,
)

_STEERING = ("system", "developer")
_ITEM_ROLES = {"assistant": "assistant", "system": "developer", "developer": "developer"}


def encode_request(
    request: Request, capabilities: Capabilities = AS_THE_DIALECT_SAYS
) -> tuple[Json, tuple[Loss, ...]]:
    """Return the body and what it has no place for.

    System and developer text becomes ``instructions``, in order, joined with a blank line, but for
    what has to stay in its place. If nothing else was said it is the input itself, because an
    empty one is refused. Nothing is to be
    stored upstream: this API does so unless told otherwise, and no other dialect's client expects
    it.
    """
    losses: list[Loss] = []
    body: Json = {"model": request.model}
    items = list(encode_messages(request.messages, losses))
    if instructions := _instructions(request) if items else request.instructions:
        body["instructions"] = instructions
    body["input"] = items or _steering_items(request)
    _encode_tools(request, body, losses)
    body["stream"] = request.stream
    body["store"] = False
    _encode_text(request, body)
    _encode_reasoning(request, body, capabilities, losses)
    _encode_limits(request, body, losses)
    _encode_hints(request, body)
    return body, tuple(losses)


def encode_messages(messages: Iterable[Message], losses: list[Loss]) -> Iterator[Json]:
    """Yield the input items of all messages but the steering ones that go to the front."""
    for message in messages:
        if message.role not in _STEERING or message.in_place:
            yield from _encode_message(message, losses)


def _instructions(request: Request) -> str:
    return "\n\n".join(filter(None, [request.instructions or "", *_steering_texts(request)]))


def _steering_texts(request: Request) -> Iterator[str]:
    for message in request.messages:
        if message.role in _STEERING and not message.in_place:
            yield "\n".join(part.text for part in message.parts if isinstance(part, Text))


def _steering_items(request: Request) -> list[Json]:
    texts = list(filter(None, _steering_texts(request)))
    role = "developer" if texts else "user"
    return [
        {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}
        for text in texts or [""]
    ]


def _encode_message(message: Message, losses: list[Loss]) -> Iterator[Json]:
    """Yield one message item for each run of content, and an item for everything else."""
    content: list[Json] = []
    for part in message.parts:
        item = _encode_item(part, losses)
        if item is None:
            content += _encode_content(part, message.role, losses)
            continue
        yield from _message_item(message, content)
        content = []
        yield item
    yield from _message_item(message, content)


def _message_item(message: Message, content: list[Json]) -> Iterator[Json]:
    if content:
        role = _ITEM_ROLES.get(message.role, "user")
        yield {"type": "message", "role": role, "content": content}


def _encode_item(part: Part, losses: list[Loss]) -> Json | None:
    match part:
        case ToolCall(custom=True):
            return {
                "type": "custom_tool_call",
                "call_id": part.call_id,
                "name": part.name,
                "input": part.arguments,
            }
        case ToolCall():
            return {
                "type": "function_call",
                "call_id": part.call_id,
                "name": part.name,
                "arguments": part.arguments or NO_ARGUMENTS,
            }
        case ToolResult():
            return {
                "type": "custom_tool_call_output" if part.custom else "function_call_output",
                "call_id": part.call_id,
                "output": _encode_output(part, losses),
            }
        case Reasoning(seal=seal, text=text) if seal and seal.dialect == DIALECT:
            summary = [{"type": "summary_text", "text": text}] if text else []
            return {"type": "reasoning", "summary": summary, "encrypted_content": seal.payload}
        case Opaque(dialect=dialect, payload=payload) if dialect == DIALECT:
            return payload
    return None


def _encode_output(result: ToolResult, losses: list[Loss]) -> str | list[Json]:
    parts = result.told
    if all(isinstance(part, Text) for part in parts):
        return "\n".join(part.text for part in parts if isinstance(part, Text))
    return [item for part in parts for item in _encode_content(part, "user", losses)]


def _encode_content(part: Part, role: str, losses: list[Loss]) -> list[Json]:
    match part:
        case Text(text=text):
            kind = "output_text" if role == "assistant" else "input_text"
            return [{"type": kind, "text": text}] if text else []
        case Refusal(text=text):
            return [{"type": "refusal", "refusal": text}]
        case Image(url=url, detail=detail):
            return [{"type": "input_image", "image_url": url, "detail": detail or "auto"}]
        case File():
            return [_encode_file(part)]
        case Audio(data=data, format=format_):
            audio = {"data": data, "format": format_}
            return [{"type": "input_audio", "input_audio": audio}]
        case Opaque():
            losses.append(left_out(part))
        case Reasoning():
            losses.append(Loss("reasoning", "it carries no seal of this upstream"))
    return []


def _encode_file(part: File) -> Json:
    fields = {"filename": part.filename, "file_data": part.data, "file_url": part.url}
    return {"type": "input_file", **{k: v for k, v in fields.items() if v is not None}}


def _encode_tools(request: Request, body: Json, losses: list[Loss]) -> None:
    tools = [tool for tool in request.tools if not _is_foreign(tool)]
    losses += [
        Loss(tool.path, "only its own vendor can run it")
        for tool in request.tools
        if isinstance(tool, HostedTool) and _is_foreign(tool)
    ]
    body["tools"] = [_encode_tool(tool) for tool in tools]
    choice = request.tool_choice
    body["tool_choice"] = _encode_choice(choice) if choice else _default_choice(tools)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _default_choice(tools: list[Tool | HostedTool]) -> str:
    return "auto" if tools else "none"


def _is_foreign(tool: Tool | HostedTool) -> bool:
    return isinstance(tool, HostedTool) and tool.dialect != DIALECT


def _encode_tool(tool: Tool | HostedTool) -> Json:
    if isinstance(tool, HostedTool):
        return tool.payload
    encoded: Json = {"type": "custom" if tool.custom else "function", "name": tool.name}
    if tool.description is not None:
        encoded["description"] = tool.description
    if tool.custom:
        return encoded if tool.format is None else {**encoded, "format": tool.format}
    encoded["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    # A missing "strict" means true on this dialect and false on the others.
    encoded["strict"] = bool(tool.strict)
    return encoded


def _encode_choice(choice: ToolChoice) -> str | Json:
    if choice.mode == "named":
        return {"type": "custom" if choice.custom else "function", "name": choice.names[0]}
    if choice.mode == "allowed":
        tools = [{"type": "function", "name": name} for name in choice.names]
        mode = "required" if choice.required else "auto"
        return {"type": "allowed_tools", "mode": mode, "tools": tools}
    return choice.mode


def _encode_text(request: Request, body: Json) -> None:
    text: Json = {}
    if request.format:
        text["format"] = encode_format(request.format)
    if request.verbosity:
        text["verbosity"] = request.verbosity
    if text:
        body["text"] = text


def encode_format(format_: OutputFormat) -> Json:
    """Return ``text.format``."""
    if format_.kind != "json_schema":
        return {"type": format_.kind}
    encoded: Json = {"type": "json_schema", "name": format_.name, "schema": format_.schema}
    if format_.description is not None:
        encoded["description"] = format_.description
    if format_.strict is not None:
        encoded["strict"] = format_.strict
    return encoded


def _encode_reasoning(
    request: Request, body: Json, capabilities: Capabilities, losses: list[Loss]
) -> None:
    effort = effort_word(request, capabilities, losses)
    fields = {"effort": effort, "summary": request.reasoning_summary}
    if reasoning := {name: value for name, value in fields.items() if value is not None}:
        body["reasoning"] = reasoning


def _encode_limits(request: Request, body: Json, losses: list[Loss]) -> None:
    sampling = request.sampling
    known: dict[str, Any] = {
        "max_output_tokens": request.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
    }
    body |= {name: value for name, value in known.items() if value is not None}
    unknown = {
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "logit_bias": sampling.logit_bias,
        "top_k": sampling.top_k,
        "cache_control": True if has_cache_hints(request) else None,
    }
    losses += [
        Loss(name, "Responses has no such field")
        for name, value in unknown.items()
        if value is not None
    ]


def _encode_hints(request: Request, body: Json) -> None:
    hints = request.hints
    fields: dict[str, Any] = {
        "user": short_user(hints.user),
        "safety_identifier": hints.safety_identifier,
        "metadata": hints.metadata,
        "service_tier": hints.service_tier,
        "prompt_cache_key": hints.prompt_cache_key,
        "prompt_cache_retention": hints.prompt_cache_retention,
    }
    body |= {name: value for name, value in fields.items() if value is not None}
    if include := dict.fromkeys((*hints.include, *((SEALS,) if request.wants_seals else ()))):
        body["include"] = list(include)
