"""Function calls for a model that is too small to make them by itself.

The server ignores ``tool_choice`` and this model never writes a call of its own accord, but a
JSON schema is enforced token by token. So a call that must be made is asked for as an answer
whose schema is "one of these calls", and :mod:`airelays_app.providers.local.calls_in_text` reads
the call from the JSON that comes back. Measured 2026-11-22 with SmolLM2-135M at temperature 0: 13
of 13 requests named the right function and 11 of 13 had exactly the right arguments.

Whether to call is beyond the model: offered "a call or a plain reply" in one schema it called in
12 of 12 cases, 6 of them wrongly. So with ``tool_choice`` "auto" words decide, in the open: a
function is called if the last user message shares a word with the function's name or description;
otherwise, and whenever the last message is a function's result, the model answers in text.

Everything here works on the body of a chat completion and changes none it is given.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from airelays_app.dialects.fields import as_object, objects, optional_object
from airelays_app.errors import Unprocessable
from airelays_app.providers.local.calls_in_text import CallConstraint

Body = Mapping[str, Any]
Mode = Literal["none", "auto", "required"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")
# Words that say nothing about what a function is for or what somebody wants.
_COMMON_WORDS = frozenset(
    "about all and any are call can could current does for from function get give given has have "
    "how into its let new not now number one our out please return returns set should tell that "
    "the their them then this tool two use used user using value was what when where which who "
    "will with would write you your".split()
)


def constrain(body: Body) -> tuple[dict[str, Any], CallConstraint | None]:
    """Return ``body`` as the server needs it, and the constraint its answer is then under.

    Without one it is an answer in plain text. Raises
    :class:`~airelays_app.errors.Unprocessable` if ``tool_choice`` names an unknown function, and
    for tools of wrong types.
    """
    functions = _functions(body.get("tools") or [])
    mode, chosen = _chosen(body.get("tool_choice"), functions)
    messages = body.get("messages") or ()
    if mode == "auto":
        chosen = [] if _ends_with_result(messages) else _related(chosen, _last_request(messages))
    changed = {key: value for key, value in body.items() if key not in _TOOL_KEYS}
    if mode == "none" or not chosen:
        return changed, None
    changed["tools"] = chosen
    changed["tool_choice"] = "none"
    changed["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "call", "schema": _schema_of(chosen)},
    }
    return changed, CallConstraint(frozenset(_name_of(tool) for tool in chosen))


_TOOL_KEYS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})


def _functions(tools: Any) -> list[Any]:
    """Return the function tools; raises Unprocessable for schemas that are none."""
    functions = []
    for path, tool in objects(tools, "tools"):
        if _name_of(tool):
            where = f"{path}.function"
            parameters = optional_object(tool["function"], "parameters", where) or {}
            for key in _DEFINITIONS:
                optional_object(parameters, key, f"{where}.parameters")
            functions.append(tool)
    return functions


def _name_of(tool: Any) -> str:
    """Return the name of a function tool; empty for every other kind of tool."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else ""


def _chosen(choice: Any, functions: list[Any]) -> tuple[Mode, list[Any]]:
    """Read ``tool_choice``: how to choose, and among which of ``functions``."""
    if choice in (None, "auto"):
        return "auto", functions
    if choice == "none":
        return "none", []
    if choice == "required":
        return "required", functions
    if isinstance(choice, Mapping) and choice.get("type") == "allowed_tools":
        path = "tool_choice.allowed_tools"
        allowed = as_object(choice.get("allowed_tools") or {}, path)
        named = [_name_of(tool) for _, tool in objects(allowed.get("tools") or [], f"{path}.tools")]
        mode: Mode = "required" if allowed.get("mode") == "required" else "auto"
        return mode, _named(functions, named)
    return "required", _named(functions, [_name_of(choice)])


def _named(functions: Sequence[Any], names: Sequence[str]) -> list[Any]:
    unknown = set(names) - {_name_of(tool) for tool in functions}
    if unknown:
        raise Unprocessable(
            f"tool_choice names {sorted(unknown)[0]!r}, which is not among the function tools.",
            param="tool_choice",
        )
    return [tool for tool in functions if _name_of(tool) in names]


def _ends_with_result(messages: Sequence[Any]) -> bool:
    return bool(messages) and _role_of(messages[-1]) in ("tool", "function")


def _role_of(message: Any) -> Any:
    return message.get("role") if isinstance(message, Mapping) else None


def _last_request(messages: Sequence[Any]) -> str:
    for message in reversed(messages):
        if _role_of(message) == "user":
            return _text_of(message.get("content"))
    return ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return " ".join(text for text in texts if isinstance(text, str))


def _related(functions: Iterable[Any], request: str) -> list[Any]:
    wanted = _words(request)
    return [tool for tool in functions if _share_a_word(wanted, _words(_purpose_of(tool)))]


def _purpose_of(tool: Any) -> str:
    return f"{_name_of(tool)} {tool['function'].get('description') or ''}"


def _words(text: str) -> set[str]:
    words = {word.lower() for word in _WORD.findall(text)}
    return {word for word in words if len(word) > 2} - _COMMON_WORDS


def _share_a_word(left: set[str], right: set[str]) -> bool:
    """Return whether a word is in both; "mail" and "mailing" count as the same one."""
    return any(_same(one, other) for one in left for other in right)


def _same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return shorter == longer or (len(shorter) > 3 and longer.startswith(shorter))


def _schema_of(functions: Iterable[Any]) -> dict[str, Any]:
    """Return the schema of one call of any of ``functions``."""
    definitions: dict[str, Any] = {}
    calls = []
    for tool in functions:
        name = _name_of(tool)
        parameters = _rooted(tool["function"].get("parameters") or {}, name, definitions)
        calls.append(
            {
                "type": "object",
                "properties": {"name": {"const": name}, "arguments": parameters},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return {"oneOf": calls, "$defs": definitions} if definitions else {"oneOf": calls}


def _rooted(parameters: Body, name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with their ``$defs`` moved to ``definitions``, as parts of a schema.

    References count from the root of the whole schema, so each function's get its own names.
    """
    own: dict[str, Any] = {}
    for group in _DEFINITIONS:
        own |= parameters.get(group) or {}
    for key, schema in own.items():
        definitions[f"{name}.{key}"] = _with_references(schema, name)
    plain = {key: value for key, value in parameters.items() if key not in _DEFINITION_KEYS}
    if "properties" in plain:
        plain.setdefault("additionalProperties", False)
    rooted = _with_references({"type": "object", **plain}, name)
    return dict(rooted)


_DEFINITIONS = ("definitions", "$defs")
_DEFINITION_KEYS = frozenset({*_DEFINITIONS, "$schema"})
_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/(.+)", re.DOTALL)


def _with_references(schema: Any, name: str) -> Any:
    if isinstance(schema, list):
        return [_with_references(entry, name) for entry in schema]
    if not isinstance(schema, Mapping):
        return schema
    rooted = {key: _with_references(value, name) for key, value in schema.items()}
    reference = schema.get("$ref")
    if isinstance(reference, str) and (match := _REFERENCE.fullmatch(reference)):
        rooted["$ref"] = f"#/$defs/{name}.{match[1]}"
    return rooted
