"""Strict readers of the three client streams: each rule of a dialect is an assertion on the way.

A reader returns the whole reply that a client puts together from the stream, in the form of the
dialect's own buffered answer, or its error object if the stream broke off.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

RESPONSE_ERROR_CODES = {"server_error", "rate_limit_exceeded", "invalid_prompt"}
"""Of the closed list of the API reference, those that the relay uses (seen 2026-11-22)."""
FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
DONE = "[DONE]"


def blocks_of(wire: bytes) -> list[tuple[str, str]]:
    """Return the name and the data of each block; comments are left out."""
    assert wire.endswith(b"\n\n") or not wire
    blocks = [block for block in wire.decode().split("\n\n")[:-1] if not block.startswith(":")]
    return [_block(block) for block in blocks]


def _block(block: str) -> tuple[str, str]:
    lines = block.split("\n")
    name = lines.pop(0).removeprefix("event: ") if lines[0].startswith("event: ") else ""
    (line,) = lines
    assert line.startswith("data: ")
    return name, line.removeprefix("data: ")


@dataclass
class _Item:
    id: str
    kind: str
    added: Json
    texts: list[str] = field(default_factory=list)
    part_open: bool = False
    text_done: bool = False
    part_done: bool = False
    notes: list[Json] = field(default_factory=list)


class ResponsesReader:
    """Reads a Responses stream event by event."""

    _PLACES = {
        "response.output_text": ("message", "content_index"),
        "response.refusal": ("message", "content_index"),
        "response.reasoning_text": ("reasoning", "content_index"),
        "response.reasoning_summary_text": ("reasoning", "summary_index"),
        "response.function_call_arguments": ("function_call", None),
        "response.custom_tool_call_input": ("custom_tool_call", None),
    }
    _WHOLE = {
        "response.refusal": "refusal",
        "response.function_call_arguments": "arguments",
        "response.custom_tool_call_input": "input",
    }

    def __init__(self) -> None:
        self.items: dict[int, _Item] = {}
        self.output: dict[int, Json] = {}
        self.final: Json | None = None
        self.error: Json | None = None
        self._count = 0
        self._id = ""

    def read(self, wire: bytes) -> Json:
        """Return the last response object of a whole stream."""
        for name, data in blocks_of(wire):
            self._take(name, json.loads(data))
        assert self.final is not None, "no terminal event"
        return self.final

    def _take(self, name: str, event: Json) -> None:
        assert self.final is None, "nothing follows the terminal event"
        assert name == event["type"]
        assert event["sequence_number"] == self._count
        self._count += 1
        if self._count <= 2:
            self._begin(name, event)
        elif name == "error":
            self._broken_off(event)
        elif name in ("response.completed", "response.incomplete", "response.failed"):
            self._end(name.removeprefix("response."), event["response"])
        else:
            assert self.error is None, "only response.failed follows an error"
            self._within(name, event)

    def _begin(self, name: str, event: Json) -> None:
        assert name == ("response.created", "response.in_progress")[self._count - 1]
        response = event["response"]
        self._id = self._id or response["id"]
        assert (response["id"], response["status"]) == (self._id, "in_progress")
        assert (response["output"], response["error"]) == ([], None)

    def _broken_off(self, event: Json) -> None:
        assert self.error is None
        self.error = event["error"]
        assert {"message", "type", "code", "param"} <= event["error"].keys()
        for key in ("message", "code", "param"):
            assert event[key] == event["error"][key], "nested and flat say the same"

    def _end(self, status: str, response: Json) -> None:
        assert (response["id"], response["status"]) == (self._id, status)
        assert response["output"] == [self.output[index] for index in sorted(self.output)]
        assert (self.error is not None) == (status == "failed")
        if status == "failed":
            assert response["error"]["code"] in RESPONSE_ERROR_CODES
        else:
            assert not self.items, "an item is still open"
            assert response["error"] is None
            assert response["usage"]["total_tokens"] == (
                response["usage"]["input_tokens"] + response["usage"]["output_tokens"]
            )
        assert bool(response["incomplete_details"]) == (status == "incomplete")
        self.final = response

    def _within(self, name: str, event: Json) -> None:
        if name == "response.output_item.added":
            self._added(event)
            return
        item = self.items[event["output_index"]]
        if name == "response.output_item.done":
            self._done(event["output_index"], item, event["item"])
            return
        assert event["item_id"] == item.id
        stem, _, step = name.rpartition(".")
        if stem in ("response.content_part", "response.reasoning_summary_part"):
            self._part(step, item, event)
        elif name == "response.output_text.annotation.added":
            assert event["annotation_index"] == len(item.notes)
            assert item.part_open
            item.notes.append(event["annotation"])
        else:
            self._text(stem, step, item, event)

    def _added(self, event: Json) -> None:
        index, item = event["output_index"], event["item"]
        assert index == len(self.items) + len(self.output), "items are numbered as they open"
        assert item["id"] not in {other.id for other in self.items.values()}
        assert item["id"] not in {other["id"] for other in self.output.values()}
        if item["type"] == "message":
            assert (item["status"], item["content"]) == ("in_progress", [])
        self.items[index] = _Item(item["id"], item["type"], item)

    def _part(self, step: str, item: _Item, event: Json) -> None:
        text = event["part"].get("refusal", event["part"].get("text"))
        if step == "added":
            assert not item.part_open
            item.part_open = True
            assert text == ""
        else:
            assert item.text_done
            assert not item.part_done
            item.part_done = True
            assert text == "".join(item.texts)
            assert event["part"].get("annotations", []) == item.notes

    def _text(self, stem: str, step: str, item: _Item, event: Json) -> None:
        kind, place = self._PLACES[stem]
        assert item.kind == kind
        if place:
            assert event[place] == 0
            assert item.part_open
        assert not item.text_done, "nothing follows the whole text"
        if step == "delta":
            assert event["delta"]
            item.texts.append(event["delta"])
        else:
            assert step == "done"
            item.text_done = True
            assert event[self._WHOLE.get(stem, "text")] == "".join(item.texts)

    def _done(self, index: int, item: _Item, done: Json) -> None:
        assert (done["id"], done["type"]) == (item.id, item.kind)
        assert done.get("status", "completed") in ("completed", "incomplete")
        assert item.text_done or not item.texts
        assert item.part_open == item.part_done
        self.output[index] = done
        del self.items[index]


def read_responses(wire: bytes) -> Json:
    """Return the final response object of a stream."""
    return ResponsesReader().read(wire)


def chunks_of(wire: bytes) -> Iterator[Json]:
    """Yield the chunks of a Chat Completions or Completions stream up to its end or error."""
    blocks = blocks_of(wire)
    assert not [name for name, _ in blocks if name], "no event has a name"
    ended = False
    for _, data in blocks:
        assert not ended, "nothing follows the end"
        chunk = DONE if data == DONE else json.loads(data)
        ended = chunk == DONE or "error" in chunk
        if chunk != DONE:
            yield chunk
    assert ended, "the stream ends without a word"


def read_chat(wire: bytes, *, include_usage: bool) -> Json:
    """Return the ``chat.completion`` that a client puts together, or the error object."""
    head: Json = {}
    message: Json = {"role": None, "content": None, "refusal": None}
    finish: str | None = None
    usage: Json | None = None
    for number, chunk in enumerate(chunks_of(wire)):
        if "error" in chunk:
            assert finish is None
            return chunk
        head = head or _head_of(chunk)
        assert _head_of(chunk) == head
        assert usage is None, "nothing but the end follows the usage"
        assert ("usage" in chunk) == include_usage
        if not chunk["choices"]:
            assert finish
            usage = chunk["usage"]
            continue
        (choice,) = chunk["choices"]
        assert chunk.get("usage") is None
        assert finish is None, "nothing but usage follows the reason"
        assert choice["index"] == 0
        assert ("role" in choice["delta"]) == (number == 0), "the role comes first and once"
        finish = choice["finish_reason"]
        if finish:
            assert choice["delta"] == {}
            assert finish in FINISH_REASONS
        _add_to_message(message, choice["delta"])
    assert finish, "no reason why it ended"
    assert (usage is not None) == include_usage
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    whole = {**head, "object": "chat.completion", "choices": [choice]}
    return {**whole, "usage": usage} if include_usage else whole


def _head_of(chunk: Json) -> Json:
    head = {name: chunk[name] for name in ("id", "object", "created", "model")}
    assert type(head["created"]) is int
    return head


def _add_to_message(message: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name == "role":
            message["role"] = value
        elif name in ("annotations", "reasoning_details"):
            message.setdefault(name, []).extend(value)
        elif name == "tool_calls":
            for fragment in value:
                _add_to_calls(message.setdefault(name, []), fragment)
        elif name == "function_call":
            call = message.setdefault(name, {"arguments": ""})
            assert ("name" in value) == ("name" not in call)
            call["name"] = value.get("name", call.get("name"))
            call["arguments"] += value["arguments"]
        elif value is not None:
            message[name] = (message.get(name) or "") + value


def _add_to_calls(calls: list[Json], fragment: Json) -> None:
    index = fragment["index"]
    kind = "custom" if "custom" in fragment else "function"
    field_name = "input" if kind == "custom" else "arguments"
    if index == len(calls):
        assert (fragment["type"], fragment[kind][field_name]) == (kind, "")
        assert fragment["id"]
        calls.append({name: value for name, value in fragment.items() if name != "index"})
        return
    assert fragment.keys() == {"index", kind}
    assert fragment[kind].keys() == {field_name}
    calls[index][kind][field_name] += fragment[kind][field_name]


def read_completions(wire: bytes, *, include_usage: bool) -> Json:
    """Return the ``text_completion`` that a client puts together, or the error object."""
    head: Json = {}
    texts: list[str] = []
    finish: str | None = None
    usage: Json | None = None
    for chunk in chunks_of(wire):
        if "error" in chunk:
            assert finish is None
            return chunk
        head = head or _head_of(chunk)
        assert _head_of(chunk) == head
        assert usage is None, "nothing but the end follows the usage"
        assert ("usage" in chunk) == include_usage
        if not chunk["choices"]:
            assert finish
            usage = chunk["usage"]
            continue
        (choice,) = chunk["choices"]
        assert chunk.get("usage") is None
        assert finish is None, "nothing but usage follows the reason"
        assert (choice["index"], choice["logprobs"]) == (0, None)
        finish = choice["finish_reason"]
        assert bool(choice["text"]) != bool(finish), "the reason comes with no text"
        texts.append(choice["text"])
    assert finish in FINISH_REASONS
    assert (usage is not None) == include_usage
    choice = {"text": "".join(texts), "index": 0, "logprobs": None, "finish_reason": finish}
    whole = {**head, "choices": [choice]}
    return {**whole, "usage": usage} if include_usage else whole


class MessagesReader:
    """Reads a Messages stream event by event; ``message`` is None after an error."""

    _DELTAS = {
        "text": {"text_delta", "citations_delta"},
        "thinking": {"thinking_delta", "signature_delta"},
        "tool_use": {"input_json_delta"},
    }

    def __init__(self) -> None:
        self.message: Json = {}
        self.error: Json | None = None
        self._block: Json | None = None
        self._arguments: list[str] = []
        self._stopped = False

    def read(self, wire: bytes) -> Json:
        """Return the message that a client puts together, or the error object."""
        for name, data in blocks_of(wire):
            event = json.loads(data)
            assert name == event["type"]
            assert not self._stopped, "nothing follows the end"
            getattr(self, f"_{name}")(event)
        assert self._stopped, "no terminal event"
        return self.error or self.message

    def _message_start(self, event: Json) -> None:
        assert not self.message, "it comes first and once"
        self.message = event["message"]
        assert (self.message["content"], self.message["stop_reason"]) == ([], None)

    def _content_block_start(self, event: Json) -> None:
        assert self._block is None, "blocks come one after the other"
        assert event["index"] == len(self.message["content"])
        self._block, self._arguments = event["content_block"], []
        self.message["content"].append(self._block)

    def _content_block_delta(self, event: Json) -> None:
        block, delta = self._block, event["delta"]
        assert block is not None
        assert event["index"] == len(self.message["content"]) - 1
        assert delta["type"] in self._DELTAS[block["type"]]
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "citations_delta":
                block["citations"] = [*(block["citations"] or []), delta["citation"]]
            case "input_json_delta":
                self._arguments.append(delta["partial_json"])

    def _content_block_stop(self, event: Json) -> None:
        assert self._block is not None
        assert event["index"] == len(self.message["content"]) - 1
        if self._block["type"] == "tool_use":
            self._block["input"] = _object_of("".join(self._arguments))
        self._block = None

    def _message_delta(self, event: Json) -> None:
        assert self._block is None
        assert self.message["stop_reason"] is None, "the reason comes once"
        assert event["delta"]["stop_reason"]
        self.message |= event["delta"] | {"usage": event["usage"]}

    def _message_stop(self, event: Json) -> None:
        assert event.keys() == {"type"}
        assert self.message["stop_reason"]
        self._stopped = True

    def _ping(self, event: Json) -> None:
        assert event == {"type": "ping"}

    def _error(self, event: Json) -> None:
        assert {"type", "message"} <= event["error"].keys()
        self.error = event
        self._stopped = True


def read_messages(wire: bytes) -> Json:
    """Return the message that a client puts together, or the error object."""
    return MessagesReader().read(wire)


def read_gemini(wire: bytes) -> Json:
    """Return the response that a client puts together, or the error object.

    Pieces of text that follow each other are one part, unless a later one has a signature.
    """
    whole: Json = {}
    parts: list[Json] = []
    blocks = wire.split(b"\n\n")
    assert blocks.pop() == b"", "every event ends"
    for block in blocks:
        assert block.startswith(b"data: {"), "comments and other lines break the clients"
        event = json.loads(block.removeprefix(b"data: "))
        if "error" in event:
            assert block == blocks[-1], "nothing follows the end"
            return event
        (candidate,) = event.pop("candidates")
        assert candidate["content"]["role"] == "model"
        assert candidate["content"]["parts"], "google-genai takes a reply without any for invalid"
        assert "candidates" not in whole, "nothing follows the reason"
        assert "finishReason" not in candidate or "usageMetadata" in event
        parts += candidate["content"]["parts"]
        whole = event if "finishReason" not in candidate else {"candidates": [candidate], **event}
    (candidate,) = whole["candidates"]
    candidate["content"]["parts"] = joined_parts(parts)
    return whole


def joined_parts(parts: list[Json]) -> list[Json]:
    """Return the parts without their cuts; an empty text says nothing without a signature."""
    out: list[Json] = []
    for part in parts:
        if part == {"text": ""}:
            continue
        before = out[-1] if out else {}
        rest = {"thought": part["thought"]} if "thought" in part else {}
        if part.keys() - rest.keys() == {"text"} and _takes_more(before, rest):
            before["text"] += part["text"]
        else:
            out.append(dict(part))
    return json.loads(json.dumps(out))


def _takes_more(before: Json, rest: Json) -> bool:
    return before.keys() - {"thoughtSignature"} == {"text", *rest} and before.get("text") != ""


def _object_of(arguments: str) -> Any:
    """Return what a model wrote as arguments the way the buffered answer has it."""
    if not arguments.strip():
        return {}
    try:
        value = json.loads(arguments)
    except ValueError:
        return {"input": arguments}
    return value if isinstance(value, dict) else {"input": value}
