"""What Google's API refuses in a Gemini request, as a table of rules.

Sources (2026-11-25): the API documentation, and public reports of clients that met these refusals.
Each rule looks at the request and returns what is wrong with it, or None; the first one wins.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from airelays_app.sandbox.asked import objects_in, strings_in
from airelays_app.sandbox.exchange import Answer
from airelays_app.sandbox.gemini_wire import GeminiModel, detail, refused
from airelays_app.sandbox.schema_rules import fault_in
from airelays_app.sandbox.seals import Sealer

KNOWN_FIELDS = frozenset(
    "model contents systemInstruction tools toolConfig generationConfig safetySettings "
    "cachedContent serviceTier store".split()
)
KNOWN_CONFIG = frozenset(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities "
    "candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty "
    "responseLogprobs logprobs thinkingConfig speechConfig mediaResolution imageConfig".split()
)
PART_FIELDS = frozenset(
    "text inlineData fileData functionCall functionResponse executableCode "
    "codeExecutionResult".split()
)
"""What a part holds; exactly one of them."""

STAND_INS = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}", re.ASCII)
_MOST_STOPS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule may look at; ``body`` has its names in camelCase."""

    body: dict[str, Any]
    sealer: Sealer
    model: GeminiModel

    @property
    def contents(self) -> list[dict[str, Any]]:
        """The contents; empty for anything else."""
        return objects_in(self.body.get("contents"))

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The contents, those of one side after one another in one: the pieces of a stream."""
        turns: list[dict[str, Any]] = []
        for content in self.contents:
            parts = objects_in(content.get("parts"))
            if turns and turns[-1]["role"] == content.get("role"):
                turns[-1]["parts"].extend(parts)
            else:
                turns.append({"role": content.get("role"), "parts": list(parts)})
        return turns

    @property
    def config(self) -> dict[str, Any]:
        """The generation config."""
        given = self.body.get("generationConfig")
        return given if isinstance(given, dict) else {}

    def parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the place and the object of every part."""
        for index, content in enumerate(self.contents):
            for number, part in enumerate(objects_in(content.get("parts"))):
                yield f"contents[{index}].parts[{number}]", part

    def functions(self) -> list[dict[str, Any]]:
        """Return the declarations of functions."""
        tools = objects_in(self.body.get("tools"))
        return [each for tool in tools for each in objects_in(tool.get("functionDeclarations"))]


Rule = Callable[[Question], str | None]


def refusal(body: dict[str, Any], sealer: Sealer, model: GeminiModel) -> Answer | None:
    """Return the refusal of ``body``, or None if it would be answered."""
    question = Question(body, sealer, model)
    for rule in RULES:
        if wrong := rule(question):
            violation = {"description": wrong}
            return refused(wrong, 400, detail("BadRequest", fieldViolations=[violation]))
    return None


def _unknown_fields(question: Question) -> str | None:
    for name in question.body:
        if name not in KNOWN_FIELDS:
            return f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    for name in question.config:
        if name not in KNOWN_CONFIG:
            return (
                f'Invalid JSON payload received. Unknown name "{name}" at '
                "'generation_config': Cannot find field."
            )
    return None


def _contents(question: Question) -> str | None:
    given = question.body.get("contents")
    if not isinstance(given, list) or not given:
        return "* GenerateContentRequest.contents: contents is not specified"
    for index, content in enumerate(given):
        if not isinstance(content, dict) or not content.get("parts"):
            return f"* GenerateContentRequest.contents[{index}].parts: must not be empty."
        if content.get("role", "user") not in ("user", "model", "function"):
            return "Please use a valid role: user, model."
    return None


def _parts(question: Question) -> str | None:
    for place, part in question.parts():
        held = PART_FIELDS & part.keys()
        if len(held) > 1:
            return f"Invalid value at '{place}' (oneof), oneof field 'data' is already set."
        if not held and "thoughtSignature" not in part:
            return (
                f"* GenerateContentRequest.{place}.data: required oneof field 'data' must have one"
            )
        for name in ("functionCall", "functionResponse"):
            if name in part and not (isinstance(part[name], dict) and part[name].get("name")):
                return f"* GenerateContentRequest.{place}.{name}.name: Name cannot be empty."
        blob = part.get("inlineData")
        if blob is not None and not (isinstance(blob, dict) and blob.get("mimeType")):
            return f"* GenerateContentRequest.{place}.inline_data.mime_type: must not be empty."
    return None


def _turns(question: Question) -> str | None:
    """The results of all calls of a turn are in the next one, by name or by id."""
    contents = question.turns
    for index, content in enumerate(contents):
        calls = _held(content, "functionCall")
        after = contents[index + 1] if index + 1 < len(contents) else {}
        if calls and len(_held(after, "functionResponse")) != len(calls):
            return (
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn."
            )
        results = _held(content, "functionResponse")
        asked = _held(contents[index - 1], "functionCall") if index else []
        if results and not asked:
            return (
                "Please ensure that function response turn comes immediately after a function "
                "call turn."
            )
        if sorted(str(each["name"]) for each in results) != sorted(
            str(each["name"]) for each in asked[: len(results)]
        ):
            return "Please ensure that the names of function responses are those of the calls."
    return None


def _held(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [part[name] for part in objects_in(content.get("parts")) if name in part]


def _signatures(question: Question) -> str | None:
    for _, part in question.parts():
        signature = part.get("thoughtSignature")
        if signature is None or (signature in STAND_INS and "functionCall" in part):
            continue
        if not isinstance(signature, str) or question.sealer.opened(signature) is None:
            return "Thought signature is not valid."
    return None


def _signed_calls(question: Question) -> str | None:
    """The first call of each step of the present turn must have its signature."""
    if not question.model.checks_calls:
        return None
    for content in _present_turn(question.turns):
        calls = [part for part in objects_in(content.get("parts")) if "functionCall" in part]
        if content.get("role") == "model" and calls and "thoughtSignature" not in calls[0]:
            return (
                "Function call is missing a thought_signature in functionCall parts. This is "
                "required for tools to work correctly."
            )
    return None


def _present_turn(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    starts = [
        index
        for index, content in enumerate(contents)
        if content.get("role") != "model" and not _held(content, "functionResponse")
    ]
    return contents[starts[-1] :] if starts else contents


def _thinking(question: Question) -> str | None:
    thinking, model = question.config.get("thinkingConfig"), question.model
    if not isinstance(thinking, dict):
        return None
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if level is not None and budget is not None:
        return "You can only set only one of thinking budget and thinking level."
    if not model.thinks:
        return "Thinking is not enabled for this model." if thinking else None
    if level is not None and str(level).upper() not in model.levels:
        return f"Thinking level {level} is not supported for this model."
    if budget not in (None, -1) and model.budgets:
        least, most = model.budgets
        if not isinstance(budget, int) or not least <= budget <= most:
            return f"The thinking budget {budget} is invalid. Please choose {least} to {most}."
    return None


def _config(question: Question) -> str | None:
    config = question.config
    if config.get("candidateCount") not in (None, 1):
        return "Multiple candidates is not enabled for this model"
    if len(strings_in(config.get("stopSequences"))) > _MOST_STOPS:
        return f"The number of stop sequences must be at most {_MOST_STOPS}."
    if not 0 <= (config.get("temperature") or 0) <= 2:
        return "* GenerateContentRequest.generation_config.temperature: must be in [0.0, 2.0]"
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema is not None and config.get("responseMimeType") != "application/json":
        return "* GenerateContentRequest.generation_config.response_mime_type: must be json"
    if wrong := fault_in(config.get("responseJsonSchema"), strict=False):
        return f"* GenerateContentRequest.generation_config.response_json_schema: {wrong}"
    return None


def _tools(question: Question) -> str | None:
    names = [str(each.get("name")) for each in question.functions()]
    for index, each in enumerate(question.functions()):
        place = f"tools[0].function_declarations[{index}]"
        if not _NAME.fullmatch(names[index]):
            return f"* GenerateContentRequest.{place}.name: Invalid function name."
        if wrong := fault_in(each.get("parametersJsonSchema"), strict=False):
            return f"* GenerateContentRequest.{place}.parameters_json_schema: {wrong}"
    given = question.body.get("toolConfig") or {}
    calling = given.get("functionCallingConfig") or {}
    allowed = strings_in(calling.get("allowedFunctionNames"))
    if allowed and calling.get("mode") not in ("ANY", "VALIDATED"):
        return "allowed_function_names should be set only when mode is ANY or VALIDATED."
    if missing := [name for name in allowed if name not in names]:
        return f"allowed_function_names contains undeclared functions: {missing}"
    return None


RULES: tuple[Rule, ...] = (
    _unknown_fields,
    _contents,
    _parts,
    _turns,
    _signatures,
    _signed_calls,
    _thinking,
    _config,
    _tools,
)
