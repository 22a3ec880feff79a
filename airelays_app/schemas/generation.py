"""What the top level of a generation request must look like, per route and provider.

The schemas only validate: what is sent upstream is the client's own body in its own order.
Messages, items and tools are read by the dialects. What an upstream cannot do comes from the
provider's :class:`FieldRules`, so the same table answers "what is refused here?" for schema,
documentation and tests.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validates_schema

from airelays_app.errors import Unprocessable
from airelays_app.providers.base import FieldRules, Provider, Refused
from airelays_app.schemas import types

Make = Callable[[], fields.Field[Any]]

_SHARED: Mapping[str, Make] = MappingProxyType(
    {
        "stream": types.boolean,
        "store": types.boolean,
        "conversation": types.string_or_object,
        "temperature": types.number,
        "top_p": types.number,
        "metadata": types.obj,
        "user": types.string,
        "safety_identifier": types.string,
        "service_tier": types.string,
        "prompt_cache_key": types.string,
        "stream_options": types.obj,
        "top_logprobs": types.integer,
    }
)
_SAMPLING: Mapping[str, Make] = MappingProxyType(
    {
        "n": types.integer,
        "presence_penalty": types.number,
        "frequency_penalty": types.number,
        "seed": types.integer,
        "stop": types.string_or_array,
        "logit_bias": types.obj,
        "max_tokens": types.integer,
        "reasoning_effort": types.string,
    }
)
_FIELDS: Mapping[str, Mapping[str, Make]] = MappingProxyType(
    {
        "responses": {
            "input": types.any_input,
            "instructions": types.string,
            "tools": types.array,
            "tool_choice": types.string_or_object,
            "parallel_tool_calls": types.boolean,
            "text": types.obj,
            "reasoning": types.obj,
            "include": types.array,
            "max_output_tokens": types.integer,
            "previous_response_id": types.string,
            "background": types.boolean,
            "truncation": types.string,
            **_SHARED,
        },
        "chat": {
            "messages": types.array,
            "tools": types.array,
            "tool_choice": types.string_or_object,
            "functions": types.array,
            "function_call": types.string_or_object,
            "parallel_tool_calls": types.boolean,
            "response_format": types.obj,
            "verbosity": types.string,
            "max_completion_tokens": types.integer,
            "modalities": types.array,
            "audio": types.obj,
            "prediction": types.obj,
            "logprobs": types.boolean,
            **_SHARED,
            **_SAMPLING,
        },
        "completions": {
            "prompt": types.string_or_array,
            "best_of": types.integer,
            "echo": types.boolean,
            "logprobs": types.integer,
            "suffix": types.string,
            **_SHARED,
            **_SAMPLING,
        },
        "messages": {
            "messages": types.array,
            "max_tokens": types.integer,
            "system": types.string_or_array,
            "stop_sequences": types.array,
            "top_k": types.integer,
            "tools": types.array,
            "tool_choice": types.obj,
            "thinking": types.obj,
            "output_config": types.obj,
            "output_format": types.obj,
            "cache_control": types.obj,
            "context_management": types.obj,
            "mcp_servers": types.array,
            "container": types.string_or_object,
            **_SHARED,
        },
        "gemini": {
            "contents": types.array,
            "systemInstruction": types.obj,
            "tools": types.array,
            "toolConfig": types.obj,
            "generationConfig": types.obj,
            "safetySettings": types.array,
            "cachedContent": types.string,
            "serviceTier": types.string,
            "labels": types.obj,
            "conversation": types.string_or_object,
        },
    }
)
_REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "responses": ("model", "input"),
        "chat": ("model", "messages"),
        "completions": ("model",),
        "messages": ("model", "messages"),
        "gemini": ("contents",),
    }
)
_TOOLS = ("tools", "functions")
_TOOL_CHOICES = ("tool_choice", "function_call")
_MOST_NARROW = 256
_NO_TOOL = (None, "none", {"type": "none"})


class GenerationSchema(Schema):
    """Validates one route for one provider's rules."""

    class Meta:
        """Unknown fields are the upstream's business."""

        unknown = INCLUDE

    required: tuple[str, ...] = ()
    refused: Mapping[str, Refused] = MappingProxyType({})
    refuses_tools = False

    model = types.string()

    @validates_schema(skip_on_field_errors=True)
    def check(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse what is missing, what the provider cannot do, and tools where none may be."""
        for name in self.required:
            self._require(data, name)
        for path, rule in self.refused.items():
            if rule.refuses(_value_at(data, path)):
                raise ValidationError(f"is not supported for this model: {rule.why}", path)
        if self.refuses_tools:
            _refuse_tools(data)

    def _require(self, data: Mapping[str, Any], name: str) -> None:
        if not data.get(name) and data.get(name) != "":
            raise ValidationError("is required and must not be empty", name)
        if name == "model" and not data[name].strip():
            raise ValidationError("must name a model", name)


def _value_at(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _refuse_tools(data: Mapping[str, Any]) -> None:
    for name in _TOOLS:
        if data.get(name):
            raise ValidationError("is refused on this route, which allows no tools", name)
    for name in _TOOL_CHOICES:
        if data.get(name) not in _NO_TOOL:
            raise ValidationError("is refused on this route, which allows no tools", name)
    for path in _tool_items(data.get("input")):
        raise ValidationError("is refused on this route, which allows no tools", path)


def _tool_items(given: Any) -> Iterator[str]:
    """Yield the paths of tools among the input items (Codex CLI 0.169, seen 2026-11-22)."""
    for index, item in enumerate(given if isinstance(given, list) else [given]):
        if not isinstance(item, Mapping) or item.get("type") != "additional_tools":
            continue
        if item.get("tools"):
            yield f"input[{index}].tools" if isinstance(given, list) else "input.tools"


def build_schema(dialect: str, rules: FieldRules, *, refuses_tools: bool) -> Schema:
    """Return the schema of a route for a provider's rules."""
    attributes: dict[str, Any] = {name: make() for name, make in _FIELDS[dialect].items()}
    attributes["required"] = _REQUIRED[dialect]
    attributes["refused"] = rules.refused
    attributes["refuses_tools"] = refuses_tools
    schema: type[Schema] = type(f"{dialect.title()}Schema", (GenerationSchema,), attributes)
    return schema()


class GenerationSchemas:
    """The schemas by dialect, provider and tool permission; each is built once.

    marshmallow spends as much on a field that is absent as on one that is there, and a request
    has a few of dozens. So each set of fields that clients send gets a schema of these alone.
    """

    def __init__(self) -> None:
        self._schemas: dict[tuple[str, str, bool], Schema] = {}
        self._narrow: dict[tuple[Schema, tuple[str, ...]], Schema] = {}

    def validate(
        self, body: Mapping[str, Any], *, dialect: str, provider: Provider, refuses_tools: bool
    ) -> None:
        """Raise Unprocessable that names the first field that is wrong."""
        key = dialect, provider.name, refuses_tools
        schema = self._schemas.get(key)
        if schema is None:
            rules = provider.rules(dialect)
            schema = build_schema(dialect, rules, refuses_tools=refuses_tools)
            self._schemas[key] = schema
        refuse_first(self._narrowed(schema, body).validate(body))

    def _narrowed(self, schema: Schema, body: Mapping[str, Any]) -> Schema:
        """Return ``schema`` with the fields that are there, or as it is for too rare a set."""
        names = tuple(name for name in schema.fields if name in body)
        narrow = self._narrow.get((schema, names))
        if narrow is None:
            if len(self._narrow) >= _MOST_NARROW:
                return schema
            narrow = self._narrow[schema, names] = type(schema)(only=names)
        return narrow


def refuse_first(errors: Mapping[str, Any]) -> None:
    """Raise Unprocessable for the first of marshmallow's errors, if there are any."""
    for name, messages in errors.items():
        message = messages[0] if isinstance(messages, list) else messages
        raise Unprocessable(f"{name} {message}.", param=name)
