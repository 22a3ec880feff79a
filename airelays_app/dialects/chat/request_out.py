"""The neutral request, written as a Chat Completions request.

``developer`` is written as ``system``: the templates of most model servers know no other word for
steering text (llama.cpp, vLLM, Ollama; seen 2026-11-22).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.call_arguments import NO_ARGUMENTS
from airelays_app.dialects.chat.reasoning import SHOWN
from airelays_app.dialects.openai_user import short_user
from airelays_app.errors import Unprocessable
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
from airelays_app.neutral.steering import as_reminder

_MOST_STOPS = 4
_STEERING = ("system", "developer")


def encode_request(
    request: Request, capabilities: Capabilities = AS_THE_DIALECT_SAYS
) -> tuple[Json, tuple[Loss, ...]]:
    """Return the body and what it has no place for."""
    losses: list[Loss] = []
    messages = list(_encode_messages(request, capabilities, losses))
    body: Json = {"model": request.model, "messages": messages, "stream": request.stream}
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    _encode_tools(request, body, losses)
    _encode_rest(request, body)
    if effort := effort_word(request, capabilities, losses):
        body["reasoning_effort"] = effort
    _note_lost_hints(request, losses)
    return body, tuple(losses)


def unspeakable_stops(stops: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stop sequences beyond the four that are taken (OpenAI API reference)."""
    return stops[_MOST_STOPS:]


def _encode_messages(
    request: Request, capabilities: Capabilities, losses: list[Loss]
) -> Iterator[Json]:
    if request.instructions:
        yield {"role": "system", "content": request.instructions}
    for role, parts in _joined(request.messages):
        if role == "assistant":
            yield from _encode_assistant(parts, losses, thought=capabilities.wants_thought)
        else:
            yield from _encode_other(role, parts, losses)


def _joined(messages: Iterable[Message]) -> Iterator[tuple[str, list[Part]]]:
    """Join what the assistant, or the tools, said in a row.

    Text and calls are one message here, and nothing may stand between the results of its calls.
    """
    role, parts = "", list[Part]()
    for message in map(_spoken, messages):
        if message.role != role or role not in ("assistant", "tool"):
            if parts:
                yield role, parts
            role, parts = message.role, []
        parts += message.parts
    if parts:
        yield role, parts


def _spoken(message: Message) -> Message:
    """Steering text in the middle is the user's: many templates refuse it there."""
    if not message.in_place:
        return message
    return Message("user", (Text(as_reminder(_one_text(message.parts).text)),))


def _encode_assistant(parts: list[Part], losses: list[Loss], *, thought: bool) -> Iterator[Json]:
    texts = [part.text for part in parts if isinstance(part, Text)]
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    calls = [_encode_call(part) for part in parts if isinstance(part, ToolCall)]
    for part in parts:
        _note_lost_part(part, losses)
    if not (texts or refusals or calls):
        return
    message: Json = {"role": "assistant", "content": "".join(texts) if texts else None}
    if refusals:
        message["refusal"] = "".join(refusals)
    if calls:
        message["tool_calls"] = calls
    if thought:
        message[SHOWN] = "".join(part.text for part in parts if isinstance(part, Reasoning))
    yield message


def _note_lost_part(part: Part, losses: list[Loss]) -> None:
    match part:
        case Opaque():
            losses.append(left_out(part))
        case Reasoning(seal=seal) if seal:
            losses.append(Loss("reasoning", "the upstream has no place for its seal"))


def _encode_call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments or NO_ARGUMENTS}
    return {"id": call.call_id, "type": "function", "function": function}


def _encode_other(role: str, parts: list[Part], losses: list[Loss]) -> Iterator[Json]:
    """A tool message holds text only, so what else the tools gave follows in a user message."""
    rest: list[Part] = []
    for part in parts:
        if isinstance(part, ToolResult):
            yield _encode_result(part)
            rest += [told for told in part.told if not isinstance(told, Text)]
        else:
            rest.append(part)
    steers = role in _STEERING
    content = _encode_content([_one_text(rest)] if steers else rest, losses)
    if content != []:
        yield {"role": "system" if steers else "user", "content": content}


def _one_text(parts: Sequence[Part]) -> Text:
    """Return steering text in one: the templates of many model servers take no parts here."""
    return Text("\n".join(part.text for part in parts if isinstance(part, Text)))


def _encode_result(result: ToolResult) -> Json:
    texts = [part.text for part in result.told if isinstance(part, Text)]
    return {"role": "tool", "tool_call_id": result.call_id, "content": "\n".join(texts)}


def _encode_content(parts: Sequence[Part], losses: list[Loss]) -> str | list[Json]:
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [item for part in parts for item in _encode_part(part, losses)]


def _encode_part(part: Part, losses: list[Loss]) -> Iterator[Json]:
    match part:
        case Text(text=text) | Refusal(text=text):
            yield {"type": "text", "text": text}
        case Image(url=url, detail=detail):
            image = {"url": url} if detail is None else {"url": url, "detail": detail}
            yield {"type": "image_url", "image_url": image}
        case File(filename=filename, data=data) if data:
            yield {"type": "file", "file": {"filename": filename or "file", "file_data": data}}
        case File(path=path):
            raise Unprocessable(
                f"{path} is a file by its address; this model's upstream takes files inline only.",
                param=path,
            )
        case Audio(data=data, format=format_):
            yield {"type": "input_audio", "input_audio": {"data": data, "format": format_}}
        case _:
            _note_lost_part(part, losses)


def _encode_tools(request: Request, body: Json, losses: list[Loss]) -> None:
    choice = request.tool_choice
    tools = [
        _encode_tool(tool)
        for tool in request.tools
        if isinstance(tool, Tool) and (choice is None or choice.allows(tool.name))
    ]
    losses += [
        Loss(tool.path, "only its own vendor can run it")
        for tool in request.tools
        if isinstance(tool, HostedTool)
    ]
    if choice and choice.is_native:
        losses.append(Loss("tool_choice", "only its own vendor can run that tool"))
    if not tools:
        return
    body["tools"] = tools
    if choice:
        body["tool_choice"] = _encode_choice(choice)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _encode_tool(tool: Tool) -> Json:
    function: Json = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _encode_choice(choice: ToolChoice) -> str | Json:
    """An allowed set is all that is offered, so only its mode is left to say."""
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.names[0]}}
    if choice.mode == "allowed":
        return "required" if choice.required else "auto"
    return choice.mode


def _encode_rest(request: Request, body: Json) -> None:
    sampling, hints = request.sampling, request.hints
    fields: dict[str, Any] = {
        "max_tokens": request.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "stop": list(sampling.stop[:_MOST_STOPS]) or None,
        "logit_bias": sampling.logit_bias,
        "user": short_user(hints.user),
        "response_format": _encode_format(request.format) if request.format else None,
    }
    body |= {name: value for name, value in fields.items() if value is not None}


def _encode_format(format_: OutputFormat) -> Json | None:
    if format_.kind == "text":
        return None
    if format_.kind == "json_object":
        return {"type": "json_object"}
    schema: Json = {"name": format_.name, "schema": format_.schema}
    if format_.strict is not None:
        schema["strict"] = format_.strict
    if format_.description is not None:
        schema["description"] = format_.description
    return {"type": "json_schema", "json_schema": schema}


def _note_lost_hints(request: Request, losses: list[Loss]) -> None:
    """``metadata`` and cache keys change no answer; the owner still reads that they went."""
    hints = request.hints
    lost = {
        "metadata": hints.metadata,
        "service_tier": hints.service_tier if hints.service_tier != "auto" else None,
        "prompt_cache_key": hints.prompt_cache_key,
        "prompt_cache_retention": hints.prompt_cache_retention,
        "include": hints.include,
        "safety_identifier": hints.safety_identifier,
        "verbosity": request.verbosity,
        "reasoning.summary": request.reasoning_summary != "auto" and request.reasoning_summary,
        "top_k": request.sampling.top_k,
        "cache_control": has_cache_hints(request),
    }
    why = "a general Chat Completions server has no such field"
    losses += [Loss(name, why) for name, value in lost.items() if value]
