"""What the ChatGPT backend refuses in a Responses request, as a table of rules.

Sources (2026-11-25): the reference relay's observations, and public reports of clients that met
these refusals. Each rule looks at the parsed body and returns the refusal it deserves, or None;
the first one wins.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox.asked import input_items, kind_of, responses_tools, text_of
from airelays_app.sandbox.exchange import Answer
from airelays_app.sandbox.faults import detail, fault
from airelays_app.sandbox.schema_rules import fault_in
from airelays_app.sandbox.seals import Sealer

KNOWN_PARAMETERS = frozenset(
    "model instructions input tools tool_choice parallel_tool_calls reasoning store stream include "
    "text prompt_cache_key service_tier client_metadata previous_response_id".split()
)
"""Top-level fields that are accepted; any other is an unsupported parameter."""

PARAMETER_TYPES: dict[str, tuple[type, str]] = {
    "model": (str, "a string"),
    "tools": (list, "an array"),
    "include": (list, "an array"),
    "reasoning": (dict, "an object"),
    "text": (dict, "an object"),
    "client_metadata": (dict, "an object"),
    "prompt_cache_key": (str, "a string"),
}
"""What kind of value a field must hold, if it holds any."""

TIERS = ("default", "priority", "ultrafast")
"""Values of ``service_tier`` that are accepted."""

ID_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fc",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctc",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "additional_tools": "at",
}
"""How the id of an input item must begin, if it has one."""

REQUIRED_FIELDS = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "reasoning": ("summary",),
}
"""What an input item must carry, since nothing is looked up."""

CONTENT_TYPES = {
    "assistant": ("output_text", "refusal"),
    "user": ("input_text", "input_image", "input_file"),
    "developer": ("input_text", "input_image", "input_file"),
}
"""The content parts each role may hold."""

_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule may look at."""

    body: dict[str, Any]
    items: list[dict[str, Any]]
    sealer: Sealer
    models: frozenset[str]


Rule = Callable[[Question], Answer | None]


def refusal(body: dict[str, Any], *, sealer: Sealer, models: frozenset[str]) -> Answer | None:
    """Return the backend's refusal of ``body``, or None if it would answer it."""
    question = Question(body, input_items(body), sealer, models)
    for rule in RULES:
        if answer := rule(question):
            return answer
    return None


def _unsupported(question: Question) -> Answer | None:
    for name, value in question.body.items():
        if name not in KNOWN_PARAMETERS and value is not None:
            return detail(f"Unsupported parameter: {name}")
    return None


def _types(question: Question) -> Answer | None:
    for name, (kind, wanted) in PARAMETER_TYPES.items():
        value = question.body.get(name)
        if value is not None and not isinstance(value, kind):
            return _wrong_type(name, wanted)
    return None


def _stream(question: Question) -> Answer | None:
    return None if question.body.get("stream") is True else detail("Stream must be set to true")


def _store(question: Question) -> Answer | None:
    return None if question.body.get("store") is False else detail("Store must be set to false")


def _instructions(question: Question) -> Answer | None:
    given = question.body.get("instructions")
    if isinstance(given, str) and given.strip():
        return None
    return detail("Instructions are required")


def _model(question: Question) -> Answer | None:
    name = question.body.get("model")
    if name in question.models:
        return None
    return detail(f"The '{name}' model is not supported when using Codex with a ChatGPT account.")


def _tier(question: Question) -> Answer | None:
    tier = question.body.get("service_tier")
    return None if tier is None or tier in TIERS else detail(f"Unsupported service_tier: {tier}")


def _system(question: Question) -> Answer | None:
    roles = [item.get("role") for item in question.items if kind_of(item) == "message"]
    return detail("System messages are not allowed") if "system" in roles else None


def _input(question: Question) -> Answer | None:
    given = question.body.get("input")
    if not isinstance(given, list):
        return detail("Input must be a list")
    if not given:
        return fault("One of 'input' items is required.", "input", "missing_required_parameter")
    for index, item in enumerate(given):
        if not isinstance(item, dict):
            return _wrong_type(f"input[{index}]", "an object")
    return None


def _previous(question: Question) -> Answer | None:
    name = question.body.get("previous_response_id")
    if name is None:
        return None
    message = f"Previous response with id '{name}' not found."
    return fault(message, "previous_response_id", "previous_response_not_found")


def _references(question: Question) -> Answer | None:
    for item in question.items:
        if kind_of(item) == "item_reference":
            message = (
                f"Item with id '{item.get('id')}' not found. Items are not persisted when "
                "`store` is set to false."
            )
            return fault(message, "input", status=404)
    return None


def _ids(question: Question) -> Answer | None:
    for index, item in enumerate(question.items):
        prefix = ID_PREFIXES.get(kind_of(item))
        given = item.get("id")
        if prefix is None or given is None or str(given).startswith(prefix):
            continue
        where = f"input[{index}].id"
        message = f"Invalid '{where}': '{given}'. Expected an ID that begins with '{prefix}'."
        return fault(message, where, "invalid_value")
    return None


def _status(question: Question) -> Answer | None:
    for index, item in enumerate(question.items):
        if kind_of(item) == "reasoning" and "status" in item:
            where = f"input[{index}].status"
            return fault(f"Unknown parameter: '{where}'.", where, "unknown_parameter")
    return None


def _fields(question: Question) -> Answer | None:
    for index, item in enumerate(question.items):
        for name in REQUIRED_FIELDS.get(kind_of(item), ()):
            if item.get(name) is None:
                where = f"input[{index}].{name}"
                message = f"Missing required parameter: '{where}'."
                return fault(message, where, "missing_required_parameter")
    return None


def _content(question: Question) -> Answer | None:
    for index, item in enumerate(question.items):
        if kind_of(item) != "message":
            continue
        allowed = CONTENT_TYPES.get(str(item.get("role")))
        if allowed is None:
            where = f"input[{index}].role"
            return fault(f"Invalid value: '{item.get('role')}'.", where, "invalid_value")
        content = item["content"]
        if not isinstance(content, str | list):
            return _wrong_type(f"input[{index}].content", "a string or an array")
        for place, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else part
            if kind not in allowed:
                where = f"input[{index}].content[{place}]"
                message = f"Invalid value: '{kind}'. Supported values are: {', '.join(allowed)}."
                return fault(message, where, "invalid_value")
    return None


def _pairs(question: Question) -> Answer | None:
    for call_kind, output_kind in _CALLS.items():
        calls = _call_ids(question, call_kind)
        outputs = _call_ids(question, output_kind)
        for name in outputs:
            if name not in calls:
                kind = "function call output" if "function" in call_kind else "custom tool output"
                return fault(f"No tool call found for {kind} with call_id {name}.", "input")
        for name in calls:
            if name not in outputs:
                return fault(f"No tool output found for function call {name}.", "input")
    return None


def _seals(question: Question) -> Answer | None:
    for item in question.items:
        sealed = item.get("encrypted_content")
        if sealed is None or kind_of(item) != "reasoning":
            continue
        if question.sealer.opened(str(sealed)) is None:
            message = (
                f"The encrypted content {str(sealed)[:12]}... could not be verified. "
                "Reason: Encrypted content could not be decrypted or parsed."
            )
            return fault(message, None, "invalid_encrypted_content")
    return None


def _choice(question: Question) -> Answer | None:
    choice = question.body.get("tool_choice")
    known = {tool.name for tool in responses_tools(question.body)}
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom"):
        if str(choice.get("name")) not in known:
            return fault(
                f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.", "tool_choice"
            )
    elif isinstance(choice, str) and choice not in ("auto", "none", "required"):
        return fault(f"Invalid value: '{choice}'.", "tool_choice", "invalid_value")
    return None


def _tools(question: Question) -> Answer | None:
    for index, tool in enumerate(question.body.get("tools") or []):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            continue
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(tool.get("name") or "")):
            where = f"tools[{index}].name"
            return fault(f"Invalid '{where}'.", where, "invalid_value")
        if wrong := fault_in(tool.get("parameters"), strict=tool.get("strict") is not False):
            message = f"Invalid schema for function '{tool.get('name')}': {wrong}"
            return fault(message, f"tools[{index}].parameters", "invalid_function_parameters")
    return None


def _format(question: Question) -> Answer | None:
    given = (question.body.get("text") or {}).get("format") or {}
    if not isinstance(given, dict):
        return _wrong_type("text.format", "an object")
    if given.get("type") == "json_object":
        return _mentions_json(question)
    if given.get("type") != "json_schema":
        return None
    if not given.get("name"):
        where = "text.format.name"
        return fault(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    if not isinstance(given.get("schema"), dict):
        return _wrong_type("text.format.schema", "an object")
    if wrong := fault_in(given["schema"], strict=given.get("strict") is not False):
        message = f"Invalid schema for response_format '{given['name']}': {wrong}"
        return fault(message, "text.format.schema", "invalid_json_schema")
    return None


def _mentions_json(question: Question) -> Answer | None:
    texts = (text_of(item.get("content")) for item in question.items)
    if any("json" in text.lower() for text in texts):
        return None
    message = (
        "Response input messages must contain the word 'json' in some form "
        "to use 'text.format' of type 'json_object'."
    )
    return fault(message, "input")


def _wrong_type(where: str, wanted: str) -> Answer:
    return fault(f"Invalid type for '{where}': expected {wanted}.", where, "invalid_type")


def _call_ids(question: Question, kind: str) -> list[str]:
    return [str(item.get("call_id")) for item in question.items if kind_of(item) == kind]


RULES: tuple[Rule, ...] = (
    _unsupported,
    _types,
    _model,
    _tier,
    _instructions,
    _store,
    _stream,
    _input,
    _previous,
    _references,
    _system,
    _ids,
    _status,
    _fields,
    _content,
    _pairs,
    _seals,
    _choice,
    _tools,
    _format,
)
