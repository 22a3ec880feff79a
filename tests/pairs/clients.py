"""The clients of the table of dialects: how each asks, what it is told, how it goes on.

They work on plain JSON, so that nothing but the wire decides; streams are read by the strict
readers. ``Told`` is what an answer says in words of no dialect.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from airelays_app.framing.sse import SseSplitter, data_block, event_block, parse_block
from tests.dialects.readers import (
    read_chat,
    read_completions,
    read_gemini,
    read_messages,
    read_responses,
)

Json = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dwn4EIwDiqkL4KAcT9BAEQ3g=="
ADD = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Told:
    """The text, the reasoning that may be read, the calls as name and arguments, the tokens.

    ``ended`` is the dialect's own word for why it ended.
    """

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    tokens: int = 0
    ended: str = ""


@dataclass(frozen=True)
class Wish:
    """What is asked for beside a text; ``limit`` is in tokens, ``must_call`` asks for one call."""

    tools: bool = False
    must_call: bool = False
    image: bool = False
    thinking: bool = False
    schema: bool = False
    limit: int | None = None
    stops: tuple[str, ...] = ()
    temperature: float | None = None


PLAIN = Wish()


def usual(wire: bytes) -> bytes:
    """Return a stream in the one form that the readers want, whatever its server's habits."""
    frames = [parse_block(block) for block in SseSplitter().feed(wire)]
    return b"".join(
        event_block(name, data) if name else data_block(data)
        for name, data in frames
        if data is not None
    )


def _given(**fields: Any) -> Json:
    """Return the fields that are wished for."""
    return {name: value for name, value in fields.items() if value is not None}


class Responses:
    """OpenAI's Responses."""

    name = "Responses"

    def ask(self, model: str, text: str, wish: Wish = PLAIN) -> tuple[str, Json]:
        """Return the path and the body of a first turn."""
        content: list[Json] = [{"type": "input_text", "text": text}]
        if wish.image:
            url = f"data:image/png;base64,{PNG}"
            content.append({"type": "input_image", "image_url": url})
        body: Json = {"model": model, "input": [{"role": "user", "content": content}]}
        if wish.tools:
            body["tools"] = [{"type": "function", "name": "add", "parameters": ADD, "strict": True}]
        if wish.must_call:
            body |= {"tool_choice": "required", "parallel_tool_calls": False}
        body |= _given(max_output_tokens=wish.limit, temperature=wish.temperature)
        if wish.thinking:
            body |= {"reasoning": {"effort": "high", "summary": "auto"}}
            body["include"] = ["reasoning.encrypted_content"]
        if wish.schema:
            format_ = {"type": "json_schema", "name": "place", "schema": PLACE, "strict": True}
            body["text"] = {"format": format_}
        return "/v1/responses", body

    def streaming(self, path: str, body: Json) -> tuple[str, Json]:
        """Return the same request for a stream."""
        return path, {**body, "stream": True}

    def read(self, wire: bytes) -> Json:
        """Return the answer that a stream adds up to."""
        return read_responses(usual(wire))

    def told(self, answer: Json) -> Told:
        """Return what a whole answer says."""
        output = answer["output"]
        parts = [part for item in output for part in item.get("content") or ()]
        summaries = [part for item in output for part in item.get("summary") or ()]
        thoughts = [*summaries, *(part for part in parts if part["type"] == "reasoning_text")]
        calls = [item for item in output if item["type"] == "function_call"]
        return Told(
            "".join(part.get("text", "") for part in parts if part["type"] == "output_text"),
            "".join(thought["text"] for thought in thoughts),
            [(call["name"], json.loads(call["arguments"])) for call in calls],
            answer["usage"]["total_tokens"],
            (answer["incomplete_details"] or {}).get("reason") or answer["status"],
        )

    def go_on(self, body: Json, answer: Json, results: list[str]) -> Json:
        """Return the body of the next turn, with the results of the calls."""
        calls = [item for item in answer["output"] if item["type"] == "function_call"]
        outputs = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": result}
            for call, result in zip(calls, results, strict=True)
        ]
        more = outputs or [{"role": "user", "content": "[[say On]]"}]
        return {**body, "input": [*body["input"], *answer["output"], *more]}

    def error(self, answer: Json) -> str:
        """Return the message of a refusal in the dialect's own shape."""
        return str(answer["error"]["message"])


def _bounds(wish: Wish) -> Json:
    """Return where an answer of OpenAI's older dialects is to end."""
    stop = list(wish.stops) or None
    return _given(max_tokens=wish.limit, stop=stop, temperature=wish.temperature)


class Chat:
    """OpenAI's Chat Completions."""

    name = "Chat Completions"

    def ask(self, model: str, text: str, wish: Wish = PLAIN) -> tuple[str, Json]:
        """Return the path and the body of a first turn."""
        content: list[Json] = [{"type": "text", "text": text}]
        if wish.image:
            url = f"data:image/png;base64,{PNG}"
            content.append({"type": "image_url", "image_url": {"url": url}})
        body: Json = {"model": model, "messages": [{"role": "user", "content": content}]}
        if wish.tools:
            function = {"name": "add", "parameters": ADD, "strict": True}
            body["tools"] = [{"type": "function", "function": function}]
        if wish.must_call:
            body |= {"tool_choice": "required", "parallel_tool_calls": False}
        if wish.thinking:
            body["reasoning_effort"] = "high"
        if wish.schema:
            schema = {"name": "place", "schema": PLACE, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return "/v1/chat/completions", {**body, **_bounds(wish)}

    def streaming(self, path: str, body: Json) -> tuple[str, Json]:
        """Return the same request for a stream."""
        return path, {**body, "stream": True, "stream_options": {"include_usage": True}}

    def read(self, wire: bytes) -> Json:
        """Return the answer that a stream adds up to."""
        return read_chat(usual(wire), include_usage=True)

    def told(self, answer: Json) -> Told:
        """Return what a whole answer says."""
        message = answer["choices"][0]["message"]
        functions = [call["function"] for call in message.get("tool_calls") or ()]
        return Told(
            message["content"] or "",
            message.get("reasoning_content") or "",
            [(each["name"], json.loads(each["arguments"])) for each in functions],
            answer["usage"]["total_tokens"],
            answer["choices"][0]["finish_reason"],
        )

    def go_on(self, body: Json, answer: Json, results: list[str]) -> Json:
        """Return the body of the next turn, with the results of the calls."""
        message = answer["choices"][0]["message"]
        outputs = [
            {"role": "tool", "tool_call_id": call["id"], "content": result}
            for call, result in zip(message.get("tool_calls") or (), results, strict=True)
        ]
        more = outputs or [{"role": "user", "content": "[[say On]]"}]
        return {**body, "messages": [*body["messages"], message, *more]}

    def error(self, answer: Json) -> str:
        """Return the message of a refusal in the dialect's own shape."""
        return str(answer["error"]["message"])


class Completions(Chat):
    """OpenAI's legacy Completions: text in, text out."""

    name = "Completions"

    def ask(self, model: str, text: str, wish: Wish = PLAIN) -> tuple[str, Json]:
        """Return the path and the body of a first turn."""
        bounds = _bounds(wish)
        plain = Wish(limit=wish.limit, stops=wish.stops, temperature=wish.temperature)
        assert wish == plain, "text is all it knows"
        return "/v1/completions", {"model": model, "prompt": text, **bounds}

    def read(self, wire: bytes) -> Json:
        """Return the answer that a stream adds up to."""
        return read_completions(usual(wire), include_usage=True)

    def told(self, answer: Json) -> Told:
        """Return what a whole answer says."""
        (choice,) = answer["choices"]
        tokens = answer["usage"]["total_tokens"]
        return Told(choice["text"], tokens=tokens, ended=choice["finish_reason"])


class Messages:
    """Anthropic's Messages."""

    name = "Messages"

    def ask(self, model: str, text: str, wish: Wish = PLAIN) -> tuple[str, Json]:
        """Return the path and the body of a first turn."""
        content: list[Json] = [{"type": "text", "text": text}]
        if wish.image:
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            content.append({"type": "image", "source": source})
        messages = [{"role": "user", "content": content}]
        body: Json = {"model": model, "max_tokens": wish.limit or 4000, "messages": messages}
        body |= _given(stop_sequences=list(wish.stops) or None, temperature=wish.temperature)
        if wish.tools:
            body["tools"] = [{"name": "add", "input_schema": ADD}]
        if wish.must_call:
            body["tool_choice"] = {"type": "any", "disable_parallel_tool_use": True}
        if wish.thinking:
            body["thinking"] = {"type": "adaptive"}
        if wish.schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": PLACE}}
        return "/v1/messages", body

    def streaming(self, path: str, body: Json) -> tuple[str, Json]:
        """Return the same request for a stream."""
        return path, {**body, "stream": True}

    def read(self, wire: bytes) -> Json:
        """Return the answer that a stream adds up to."""
        return read_messages(usual(wire))

    def told(self, answer: Json) -> Told:
        """Return what a whole answer says."""
        blocks, usage = answer["content"], answer["usage"]
        return Told(
            "".join(block["text"] for block in blocks if block["type"] == "text"),
            "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
            [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
            usage["input_tokens"] + usage["output_tokens"],
            answer["stop_reason"],
        )

    def go_on(self, body: Json, answer: Json, results: list[str]) -> Json:
        """Return the body of the next turn, with the results of the calls."""
        calls = [block for block in answer["content"] if block["type"] == "tool_use"]
        outputs = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": result}
            for call, result in zip(calls, results, strict=True)
        ]
        more = outputs or [{"type": "text", "text": "[[say On]]"}]
        turns = [
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": more},
        ]
        return {**body, "messages": [*body["messages"], *turns]}

    def error(self, answer: Json) -> str:
        """Return the message of a refusal in the dialect's own shape."""
        assert answer["type"] == "error"
        return str(answer["error"]["message"])


class Gemini:
    """Google's Gemini API."""

    name = "Gemini"

    def ask(self, model: str, text: str, wish: Wish = PLAIN) -> tuple[str, Json]:
        """Return the path and the body of a first turn."""
        parts: list[Json] = [{"text": text}]
        if wish.image:
            parts.append({"inlineData": {"mimeType": "image/png", "data": PNG}})
        body: Json = {"contents": [{"role": "user", "parts": parts}]}
        if wish.tools:
            function = {"name": "add", "parametersJsonSchema": ADD}
            body["tools"] = [{"functionDeclarations": [function]}]
        if wish.must_call:
            body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
        config = _given(maxOutputTokens=wish.limit, temperature=wish.temperature)
        config |= _given(stopSequences=list(wish.stops) or None)
        if wish.thinking:
            config["thinkingConfig"] = {"includeThoughts": True, "thinkingLevel": "HIGH"}
        if wish.schema:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": PLACE}
        if config:
            body["generationConfig"] = config
        return f"/v1beta/models/{model}:generateContent", body

    def streaming(self, path: str, body: Json) -> tuple[str, Json]:
        """Return the same request for a stream."""
        return path.replace(":generate", ":streamGenerate") + "?alt=sse", body

    def read(self, wire: bytes) -> Json:
        """Return the answer that a stream adds up to."""
        return read_gemini(wire.replace(b"\r\n", b"\n"))

    def told(self, answer: Json) -> Told:
        """Return what a whole answer says."""
        parts = answer["candidates"][0]["content"]["parts"]
        thoughts = [part for part in parts if part.get("thought")]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        return Told(
            "".join(part.get("text", "") for part in parts if part not in thoughts),
            "".join(part["text"] for part in thoughts),
            [(call["name"], call["args"]) for call in calls],
            answer["usageMetadata"]["totalTokenCount"],
            answer["candidates"][0]["finishReason"],
        )

    def go_on(self, body: Json, answer: Json, results: list[str]) -> Json:
        """Return the body of the next turn, with the results of the calls."""
        content = answer["candidates"][0]["content"]
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        outputs: list[Json] = [
            {"functionResponse": {"name": call["name"], "response": {"output": result}}}
            for call, result in zip(calls, results, strict=True)
        ]
        more = {"role": "user", "parts": outputs or [{"text": "[[say On]]"}]}
        return {**body, "contents": [*body["contents"], content, more]}

    def error(self, answer: Json) -> str:
        """Return the message of a refusal in the dialect's own shape."""
        assert answer["error"]["status"]
        return str(answer["error"]["message"])


CLIENTS = (Responses(), Chat(), Completions(), Messages(), Gemini())
