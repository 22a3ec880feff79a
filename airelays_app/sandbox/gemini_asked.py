"""What a Gemini request asks for, read into the sandbox's one value."""

from collections.abc import Iterator
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.asked import (
    Asked,
    Tool,
    Turn,
    objects_in,
    of_turns,
    strings_in,
    text_of,
    tokens_of,
)
from airelays_app.sandbox.gemini_wire import MODELS, in_camel_case


def from_gemini(given: dict[str, Any], model: str) -> Asked:
    """Read a Gemini request; never raises."""
    body = in_camel_case(given)
    contents = objects_in(body.get("contents"))
    config = _object(body.get("generationConfig"))
    thinking = _object(config.get("thinkingConfig"))
    calling = _object(_object(body.get("toolConfig")).get("functionCallingConfig"))
    limit = config.get("maxOutputTokens")
    return Asked(
        **of_turns([turn for content in contents for turn in _turns(content)]),
        **tokens_of(contents, [body.get("tools"), body.get("systemInstruction")]),
        model=model,
        tools=tuple(_tools(body)),
        tool_choice=_choice(calling),
        schema=_schema(config),
        reasoning=_thinks(model, thinking),
        summary=thinking.get("includeThoughts") is True,
        max_tokens=limit if isinstance(limit, int) else None,
        stop=tuple(strings_in(config.get("stopSequences"))),
    )


def _turns(content: dict[str, Any]) -> Iterator[Turn]:
    """Yield a tool's turn for each result, and one for everything else that was said."""
    parts = objects_in(content.get("parts"))
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    for result in results:
        yield Turn("tool", _told(_object(_object(result).get("response"))))
    said = text_of([part for part in parts if not part.get("thought")])
    if said or not results:
        yield Turn("assistant" if content.get("role") == "model" else "user", said)


def _told(response: dict[str, Any]) -> str:
    output = response.get("output")
    return output if isinstance(output, str) else wire_json.dumps(response).decode()


def _tools(body: dict[str, Any]) -> Iterator[Tool]:
    for tool in objects_in(body.get("tools")):
        for each in objects_in(tool.get("functionDeclarations")):
            schema = each.get("parametersJsonSchema") or _plain_schema(each.get("parameters"))
            yield Tool(str(each.get("name") or ""), "function", schema)


def _choice(calling: dict[str, Any]) -> str:
    names = strings_in(calling.get("allowedFunctionNames"))
    mode = {"ANY": "required", "NONE": "none"}.get(str(calling.get("mode")), "auto")
    return names[0] if names and mode == "required" else mode


def _schema(config: dict[str, Any]) -> dict[str, Any] | None:
    if config.get("responseMimeType") != "application/json":
        return None
    given = config.get("responseJsonSchema") or _plain_schema(config.get("responseSchema"))
    return given if isinstance(given, dict) else {}


def _plain_schema(schema: Any) -> Any:
    """Return the API's own kind of schema with its types as JSON schemas have them."""
    if isinstance(schema, list):
        return [_plain_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain_schema(value) for name, value in schema.items()}
    if isinstance(schema.get("type"), str):
        plain["type"] = schema["type"].lower()
    return plain


def _thinks(model: str, thinking: dict[str, Any]) -> bool:
    known = MODELS.get(model)
    return known is not None and known.thinks and thinking.get("thinkingBudget") != 0


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
