"""What Anthropic's API refuses in a Messages request, as a table of rules.

Sources (2026-11-22): the API documentation, and public reports of clients that met these refusals.
Each rule looks at the parsed body and returns what is wrong with it, or None; the first one wins.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox.anthropic_wire import MODELS, AnthropicModel, refused
from airelays_app.sandbox.asked import objects_in, strings_in
from airelays_app.sandbox.exchange import Answer
from airelays_app.sandbox.schema_rules import fault_in
from airelays_app.sandbox.seals import Sealer

KNOWN_PARAMETERS = frozenset(
    "model messages max_tokens system stream tools tool_choice stop_sequences temperature top_p "
    "top_k metadata service_tier thinking output_config cache_control container "
    "context_management".split()
)
_FOR_A_REPLY = frozenset(
    "max_tokens metadata service_tier stop_sequences stream temperature top_k top_p".split()
)
CONTENT_TYPES = {
    "user": {"text", "image", "document", "search_result", "tool_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"},
    "system": {"text"},
}
"""The content blocks that each role may hold."""

_ID = re.compile(r"[a-zA-Z0-9_-]+", re.ASCII)
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}", re.ASCII)
_IMAGE_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_BOUNDS = ("minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems", "pattern")
_MAPS_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_LEAST_BUDGET = 1024
_MOST_MARKS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule may look at."""

    body: dict[str, Any]
    sealer: Sealer
    model: AnthropicModel

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages; empty for anything else."""
        return objects_in(self.body.get("messages"))

    def blocks(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the place, the role and the object of every content block."""
        for index, message in enumerate(self.messages):
            content = message.get("content")
            for number, block in enumerate(content if isinstance(content, list) else []):
                if isinstance(block, dict):
                    place = f"messages.{index}.content.{number}"
                    yield place, str(message.get("role")), block


Rule = Callable[[Question], str | None]


def refusal(body: dict[str, Any], sealer: Sealer, *, counts: bool) -> Answer | None:
    """Return the refusal of ``body``, or None if it would be answered.

    A request that ``counts`` tokens has no limit and nothing that only matters to a reply.
    """
    for name in ("model", "messages") if counts else ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            return refused(f"{name}: Field required")
    if counts and (superfluous := sorted(_FOR_A_REPLY & body.keys())):
        return refused(f"{superfluous[0]}: Extra inputs are not permitted")
    model = MODELS.get(str(body["model"]))
    if model is None:
        return refused(f"model: {body['model']}", 404)
    question = Question(body, sealer, model)
    for rule in RULES:
        if wrong := rule(question):
            return refused(wrong)
    return None


def _unknown_fields(question: Question) -> str | None:
    for name in question.body:
        if name not in KNOWN_PARAMETERS:
            return f"{name}: Extra inputs are not permitted"
    return None


def _limit(question: Question) -> str | None:
    limit = question.body.get("max_tokens", 1)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        return "max_tokens: Input should be greater than or equal to 1"
    most = question.model.max_tokens
    if limit > most:
        return f"max_tokens: {limit} > {most}, which is the maximum allowed number of output tokens"
    return None


def _turns(question: Question) -> str | None:
    given = question.body["messages"]
    if not isinstance(given, list) or not given:
        return "messages: at least one message is required"
    for index, message in enumerate(given):
        role = message.get("role") if isinstance(message, dict) else None
        if role == "system" and not question.model.takes_system_turns:
            return f"messages.{index}: role 'system' is not supported on this model"
        if role not in ("user", "assistant", "system"):
            return f"messages.{index}.role: Input should be 'user' or 'assistant'"
        content = message.get("content")
        if not content or not isinstance(content, str | list):
            return f"messages.{index}: all messages must have non-empty content"
    if given[0]["role"] != "user":
        return "messages: first message must use the user role"
    if given[-1]["role"] == "assistant":
        return "This model does not support assistant message prefill."
    return None


def _system(question: Question) -> str | None:
    system = question.body.get("system")
    for number, block in enumerate(system if isinstance(system, list) else []):
        if not isinstance(block, dict) or not str(block.get("text") or "").strip():
            return f"system.{number}: text content blocks must contain non-whitespace text"
    return None


def _content(question: Question) -> str | None:
    for place, role, block in question.blocks():
        kind = block.get("type")
        if str(kind) not in CONTENT_TYPES[role]:
            return f"{place}: Input tag '{kind}' found using 'type' does not match any of the tags"
        if kind == "text" and not str(block.get("text") or "").strip():
            return f"{place}: text content blocks must contain non-whitespace text"
        if kind in ("tool_use", "tool_result"):
            id_ = block.get("id" if kind == "tool_use" else "tool_use_id")
            if not _ID.fullmatch(str(id_)):
                return f"{place}.{kind}.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        if kind == "tool_use" and not isinstance(block.get("input"), dict):
            return f"{place}.tool_use.input: Input should be a valid dictionary"
    return None


def _images(question: Question) -> str | None:
    for place, _, block in question.blocks():
        held = [block, *objects_in(block.get("content"))]
        for image in (one for one in held if one.get("type") == "image"):
            source = image.get("source")
            kind = source.get("media_type") if isinstance(source, dict) else None
            if isinstance(source, dict) and source.get("type") == "base64":
                if str(kind) not in _IMAGE_TYPES:
                    return f"{place}.source.base64.media_type: Input should be an image type"
            elif not isinstance(source, dict) or source.get("type") != "url":
                return f"{place}.source: Field required"
    return None


def _pairs(question: Question) -> str | None:
    """Every call is answered in the next message, before anything else is said there."""
    messages = question.messages
    for index, message in enumerate(messages):
        asked = _ids(message, "tool_use", "id")
        after = messages[index + 1] if index + 1 < len(messages) else {}
        answered = _ids(after, "tool_result", "tool_use_id")
        if missing := [id_ for id_ in asked if id_ not in answered]:
            return (
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}"
            )
        before = messages[index - 1] if index else {}
        known = _ids(before, "tool_use", "id")
        for id_ in _ids(message, "tool_result", "tool_use_id"):
            if id_ not in known:
                return (
                    f"messages.{index}: unexpected `tool_use_id` found in `tool_result` "
                    f"blocks: {id_}"
                )
        kinds = [block.get("type") == "tool_result" for block in objects_in(message["content"])]
        if kinds != sorted(kinds, reverse=True):
            return f"messages.{index}: `tool_result` blocks must come first"
    return None


def _ids(message: dict[str, Any], kind: str, name: str) -> list[str]:
    blocks = objects_in(message.get("content"))
    return [str(block.get(name)) for block in blocks if block.get("type") == kind]


def _unique_calls(question: Question) -> str | None:
    ids = Counter(b.get("id") for _, _, b in question.blocks() if b.get("type") == "tool_use")
    twice = [id_ for id_, count in ids.items() if count > 1]
    return f"messages: `tool_use` ids must be unique: {twice[0]}" if twice else None


def _seals(question: Question) -> str | None:
    for place, _, block in question.blocks():
        kind = block.get("type")
        sealed = question.sealer.opened(str(block.get("signature") or block.get("data")))
        if kind == "thinking" and (sealed is None or sealed != block.get("thinking")):
            return f"{place}: Invalid `signature` in `thinking` block"
        if kind == "redacted_thinking" and sealed is None:
            return f"{place}: Invalid `data` in `redacted_thinking` block"
    return None


def _thinking(question: Question) -> str | None:
    thinking = question.body.get("thinking")
    if not isinstance(thinking, dict):
        return None
    kind, limit = thinking.get("type"), question.body.get("max_tokens")
    if kind not in question.model.thinking:
        return f'"thinking.type.{kind}" is not supported for this model.'
    choice = question.body.get("tool_choice") or {}
    if kind != "disabled" and choice.get("type") in ("any", "tool"):
        return "Thinking may not be enabled when tool_choice forces tool use."
    if kind != "enabled":
        return None
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or budget < _LEAST_BUDGET:
        return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if isinstance(limit, int) and budget >= limit:
        return "`max_tokens` must be greater than `thinking.budget_tokens`."
    if question.body.get("temperature") not in (None, 1):
        return "`temperature` may only be set to 1 when thinking is enabled."
    return _unthought_call(question)


def _unthought_call(question: Question) -> str | None:
    """With a budget, a call that is being answered must have come with its thinking."""
    index = len(question.messages) - 2
    if index < 0 or not _ids(question.messages[-1], "tool_result", "tool_use_id"):
        return None
    first = objects_in(question.messages[index].get("content"))[0].get("type")
    if first in ("thinking", "redacted_thinking"):
        return None
    return (
        f"messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        f"`{first}`. When `thinking` is enabled, a final `assistant` message must start with a "
        "thinking block."
    )


def _sampling(question: Question) -> str | None:
    body = question.body
    for name in ("temperature", "top_p", "top_k"):
        if body.get(name) is not None and not question.model.samples:
            return f"`{name}` is deprecated for this model."
    if not 0 <= (body.get("temperature") or 0) <= 1:
        return "temperature: range: 0..1"
    if body.get("temperature") is not None and body.get("top_p") is not None:
        return "`temperature` and `top_p` cannot both be specified for this model."
    if any(not stop.strip() for stop in strings_in(body.get("stop_sequences"))):
        return "stop_sequences: each stop sequence must contain non-whitespace"
    return None


def _tools(question: Question) -> str | None:
    tools = objects_in(question.body.get("tools"))
    for index, tool in enumerate(tools):
        if tool.get("type", "custom") != "custom":
            continue
        if not _TOOL_NAME.fullmatch(str(tool.get("name"))):
            return f"tools.{index}.custom.name: String should match pattern"
        schema = tool.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            return f"tools.{index}.custom.input_schema.type: Field required"
        if wrong := fault_in(schema, strict=False):
            return f"tools.{index}.custom.input_schema: JSON schema is invalid. {wrong}"
    choice = question.body.get("tool_choice")
    if isinstance(choice, dict):
        if not tools:
            return "tool_choice: can only be specified when `tools` are provided"
        if choice.get("type") == "tool" and choice.get("name") not in [t["name"] for t in tools]:
            return f"Tool '{choice.get('name')}' not found in provided tools"
    return None


def _format(question: Question) -> str | None:
    config = question.body.get("output_config")
    format_ = config.get("format") if isinstance(config, dict) else None
    if not isinstance(format_, dict):
        return None
    schema = format_.get("schema")
    place = "output_config.format.schema"
    if format_.get("type") != "json_schema" or not isinstance(schema, dict):
        return f"{place}: Field required"
    for part in _schemas_within(schema):
        if bounds := [name for name in _BOUNDS if name in part]:
            return f"{place}: property '{bounds[0]}' is not supported"
        if part.get("type") == "object" and part.get("additionalProperties") is not False:
            return (
                f"{place}: For 'object' type, 'additionalProperties' must be explicitly set to "
                "false"
            )
    return None


def _schemas_within(value: Any, *, is_map: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a schema and all within it; the names in a map of schemas are the client's own."""
    if isinstance(value, list):
        for part in value:
            yield from _schemas_within(part)
    elif isinstance(value, dict):
        if not is_map:
            yield value
        for name, part in value.items():
            yield from _schemas_within(part, is_map=not is_map and name in _MAPS_OF_SCHEMAS)


def _marks(question: Question) -> str | None:
    holders = [
        *objects_in(question.body.get("system")),
        *objects_in(question.body.get("tools")),
        *(block for _, _, block in question.blocks()),
    ]
    count = sum("cache_control" in holder for holder in holders)
    if count > _MOST_MARKS:
        return f"A maximum of 4 blocks with cache_control may be provided. Found {count}."
    return None


RULES: tuple[Rule, ...] = (
    _unknown_fields,
    _limit,
    _turns,
    _system,
    _content,
    _images,
    _pairs,
    _unique_calls,
    _seals,
    _thinking,
    _sampling,
    _tools,
    _format,
    _marks,
)
