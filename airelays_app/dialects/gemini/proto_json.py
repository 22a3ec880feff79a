"""The names of fields, of which proto-JSON has two: ``maxOutputTokens`` and ``max_output_tokens``.

Clients mix them in one request (google-genai 3.6 and Gemini CLI 0.61, seen 2026-11-25). What is
read here has the first form throughout; what passes to an upstream of this dialect keeps its own.
Only names that the API has are touched: what a tool is called with, and a schema of the client's,
are not the API's.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.errors import BadRequest


@dataclass(slots=True)
class _Shape:
    """A message: its fields by name in camelCase, None for those whose names are left alone.

    ``values`` is the shape of all values of a map whose keys are the client's.
    """

    fields: dict[str, "_Shape | None"] = field(default_factory=dict)
    values: "_Shape | None" = None


def _shape(names: str = "", **inner: _Shape) -> _Shape:
    return _Shape({**dict.fromkeys(names.split()), **inner})


def _schema_shape() -> _Shape:
    """A schema holds schemas."""
    shape = _shape("maxItems minItems maxLength minLength maxProperties minProperties")
    shape.fields |= {"propertyOrdering": None, "additionalProperties": shape}
    shape.fields |= {"items": shape, "anyOf": shape, "prefixItems": shape}
    shape.fields |= {"properties": _Shape(values=shape), "defs": _Shape(values=shape)}
    return shape


_SCHEMA = _schema_shape()
_BLOB = _shape("mimeType displayName")
_FILE = _shape("mimeType fileUri displayName")
_PART = _shape(
    "thoughtSignature executableCode codeExecutionResult videoMetadata mediaResolution toolCall "
    "toolResponse partMetadata",
    inlineData=_BLOB,
    fileData=_FILE,
    functionCall=_shape("partialArgs willContinue"),
    functionResponse=_shape("willContinue", parts=_shape(inlineData=_BLOB, fileData=_FILE)),
)
_CONTENT = _shape(parts=_PART)
_DECLARATION = _shape(
    "parametersJsonSchema responseJsonSchema", parameters=_SCHEMA, response=_SCHEMA
)
_REQUEST = _shape(
    "safetySettings cachedContent serviceTier taskType outputDimensionality",
    contents=_CONTENT,
    content=_CONTENT,
    embedContentConfig=_shape("taskType outputDimensionality autoTruncate documentOcr"),
    systemInstruction=_CONTENT,
    tools=_shape(
        "googleSearch googleSearchRetrieval codeExecution urlContext computerUse fileSearch "
        "googleMaps mcpServers",
        functionDeclarations=_DECLARATION,
    ),
    toolConfig=_shape(
        "retrievalConfig includeServerSideToolInvocations",
        functionCallingConfig=_shape("allowedFunctionNames"),
    ),
    generationConfig=_shape(
        "stopSequences responseMimeType responseJsonSchema responseModalities candidateCount "
        "maxOutputTokens topP topK presencePenalty frequencyPenalty responseLogprobs speechConfig "
        "imageConfig mediaResolution enableEnhancedCivicAnswers continuationToken",
        thinkingConfig=_shape("includeThoughts thinkingBudget thinkingLevel"),
        responseSchema=_SCHEMA,
    ),
)
_REQUEST.fields["generateContentRequest"] = _REQUEST
_REQUEST.fields["requests"] = _REQUEST

_snake_case = re.compile("_+([a-z0-9])")


def canonical(body: Json) -> Json:
    """Return the request with its fields' names in camelCase; the same object if they are.

    Raises BadRequest for a field that is there in both forms.
    """
    renamed: Json = _canonical(body, _REQUEST)
    return renamed


def _canonical(value: Any, shape: _Shape) -> Any:
    if isinstance(value, dict):
        return _canonical_object(value, shape)
    if isinstance(value, list):
        items = [_canonical(item, shape) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _canonical_object(value: Json, shape: _Shape) -> Json:
    renamed: Json = {}
    is_same = True
    for name, inner in value.items():
        known, new = _field(name, inner, shape)
        if known in renamed:
            raise BadRequest(f"{known} is there twice, as {name} too.", param=known)
        renamed[known] = new
        is_same = is_same and known is name and new is inner
    return value if is_same else renamed


def _field(name: str, value: Any, shape: _Shape) -> tuple[str, Any]:
    if shape.values is not None:
        return name, _canonical(value, shape.values)
    known = _snake_case.sub(_upper, name) if "_" in name and name not in shape.fields else name
    if known not in shape.fields:
        return name, value
    inner = shape.fields[known]
    return known, value if inner is None else _canonical(value, inner)


def _upper(letter: re.Match[str]) -> str:
    return letter[1].upper()
