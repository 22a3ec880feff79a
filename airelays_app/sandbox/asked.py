"""What a request asks for, read from any of the three dialects into one value.

The readers take any JSON object and never raise: what is malformed is refused elsewhere, or read as
absent.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from airelays_app.sandbox import wire_json

_OUTPUT_TYPES = ("function_call_output", "custom_tool_call_output")
_BYTES_PER_TOKEN = 4
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the caller offers. ``namespace`` is the group it came in, if any."""

    name: str
    kind: Literal["function", "custom"]
    schema: Any = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, whatever its dialect.

    prompt: the last user message's text. messages: how many user and assistant messages were sent.
    tool_outputs: the results the request ends with. round: how many rounds of tool results
    followed the last user message. tool_choice: ``auto``, ``none``, ``required`` or a tool name.
    schema: the JSON schema asked for (``{}``: any JSON object; None: text). reasoning/summary:
    whether reasoning and its summary are wanted. input_tokens/cached_tokens: about four bytes a
    token; what came before the last item counts as cached. max_tokens and stop are for dialects
    that honour them.
    """

    model: str
    prompt: str
    messages: int
    tool_outputs: tuple[str, ...] = ()
    round: int = 0
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    parallel: bool = True
    schema: dict[str, Any] | None = None
    reasoning: bool = False
    summary: bool = False
    input_tokens: int = 0
    cached_tokens: int = 0
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said at a time; a tool's result is a turn of role ``tool``."""

    role: str
    text: str


def from_responses(body: dict[str, Any]) -> Asked:
    """Read a Responses request."""
    items = input_items(body)
    turns = [_responses_turn(item) for item in items]
    reasoning = _object(body.get("reasoning"))
    return Asked(
        **of_turns(turns),
        **tokens_of(items, body.get("instructions")),
        model=str(body.get("model") or ""),
        tools=tuple(responses_tools(body)),
        tool_choice=_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls") is not False,
        schema=_schema(_object(_object(body.get("text")).get("format"))),
        reasoning=bool(reasoning) and reasoning.get("effort") != "none",
        summary=bool(reasoning.get("summary")),
        max_tokens=_whole(body.get("max_output_tokens")),
    )


def from_chat(body: dict[str, Any]) -> Asked:
    """Read a chat completions request."""
    messages = objects_in(body.get("messages"))
    turns = [Turn(str(one.get("role")), text_of(one.get("content"))) for one in messages]
    effort = body.get("reasoning_effort")
    return Asked(
        **of_turns(turns),
        **tokens_of(messages, None),
        model=str(body.get("model") or ""),
        tools=tuple(_chat_tools(body)),
        tool_choice=_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls") is not False,
        schema=_chat_schema(body),
        reasoning=isinstance(effort, str) and effort != "none",
        max_tokens=_whole(body.get("max_completion_tokens") or body.get("max_tokens")),
        stop=_stop(body.get("stop")),
    )


def from_completions(body: dict[str, Any]) -> Asked:
    """Read a legacy completions request."""
    prompt = body.get("prompt")
    text = prompt if isinstance(prompt, str) else "".join(strings_in(prompt))
    return Asked(
        model=str(body.get("model") or ""),
        prompt=text,
        messages=1,
        input_tokens=_tokens_in(text),
        max_tokens=_whole(body.get("max_tokens")),
        stop=_stop(body.get("stop")),
    )


def input_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the input of a Responses request as a list of items."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return objects_in(given)


def kind_of(item: dict[str, Any]) -> str:
    """Return an input item's type; a role without a type makes a message."""
    return str(item.get("type") or ("message" if "role" in item else ""))


def text_of(content: Any) -> str:
    """Return the text of a string or of a list of content parts."""
    if isinstance(content, str):
        return content
    texts = (part.get("text") or part.get("refusal") for part in objects_in(content))
    return "".join(text for text in texts if isinstance(text, str))


def responses_tools(body: dict[str, Any]) -> Iterator[Tool]:
    """Yield the function and custom tools of a Responses request, wherever they are declared.

    Besides ``tools`` that is inside ``namespace`` tools and in ``additional_tools`` input items
    (Codex CLI 0.169, seen 2026-11-22).
    """
    yield from _declared(body.get("tools"), None)
    for item in input_items(body):
        if kind_of(item) == "additional_tools":
            yield from _declared(item.get("tools"), None)


def objects_in(given: Any) -> list[dict[str, Any]]:
    """Return the objects of a list (or the one object given); anything else is left out."""
    items = given if isinstance(given, list) else [given]
    return [item for item in items if isinstance(item, dict)]


def strings_in(given: Any) -> list[str]:
    """Return the strings of a list; anything else is left out."""
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _declared(tools: Any, namespace: str | None) -> Iterator[Tool]:
    for tool in objects_in(tools):
        name, kind = str(tool.get("name") or ""), tool.get("type")
        if kind == "namespace":
            yield from _declared(tool.get("tools"), name)
        elif kind == "function":
            yield Tool(name, "function", tool.get("parameters"), namespace)
        elif kind == "custom":
            yield Tool(name, "custom", namespace=namespace)


def _chat_tools(body: dict[str, Any]) -> Iterator[Tool]:
    for tool in objects_in(body.get("tools")):
        function, custom = _object(tool.get("function")), _object(tool.get("custom"))
        if function:
            yield Tool(str(function.get("name") or ""), "function", function.get("parameters"))
        elif custom:
            yield Tool(str(custom.get("name") or ""), "custom")
    for function in objects_in(body.get("functions")):
        yield Tool(str(function.get("name") or ""), "function", function.get("parameters"))


def _responses_turn(item: dict[str, Any]) -> Turn:
    kind = kind_of(item)
    if kind in _OUTPUT_TYPES:
        return Turn("tool", text_of(item.get("output")))
    return Turn(str(item.get("role")) if kind == "message" else kind, text_of(item.get("content")))


def of_turns(turns: list[Turn]) -> dict[str, Any]:
    """Return the fields of :class:`Asked` that the conversation decides.

    What an agent reminds its model of, before the user's words or beside a tool's result, is not
    the user speaking (Claude Code 2.1, seen 2026-11-22).
    """
    spoken = (replace(turn, text=_REMINDER.sub("", turn.text)) for turn in turns)
    turns = [turn for turn in spoken if turn.role != "user" or turn.text.strip()]
    roles = [turn.role for turn in turns]
    last_user = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else -1
    since = turns[last_user + 1 :]
    tail = len(turns)
    while tail and roles[tail - 1] == "tool":
        tail -= 1
    return {
        "prompt": turns[last_user].text if last_user >= 0 else "",
        "messages": sum(_counts(turn) for turn in turns),
        "tool_outputs": tuple(turn.text for turn in turns[tail:]),
        "round": _runs_of_tools(since),
    }


def _counts(turn: Turn) -> bool:
    return turn.role == "user" or (turn.role == "assistant" and bool(turn.text))


def _runs_of_tools(turns: list[Turn]) -> int:
    roles = ["", *(turn.role for turn in turns)]
    return sum(role == "tool" and before != "tool" for before, role in itertools.pairwise(roles))


def tokens_of(items: list[dict[str, Any]], instructions: Any) -> dict[str, Any]:
    """Return the counts of :class:`Asked`: everything, and what came before the last item."""
    before = _tokens_in(instructions or "") + sum(_tokens_in(item) for item in items[:-1])
    last = _tokens_in(items[-1]) if items else 0
    return {"input_tokens": before + last, "cached_tokens": before if len(items) > 1 else 0}


def _tokens_in(value: Any) -> int:
    return max(1, len(wire_json.dumps(value)) // _BYTES_PER_TOKEN)


def _choice(given: Any) -> str:
    if isinstance(given, str):
        return given
    choice = _object(given)
    if choice.get("type") == "allowed_tools":
        return str(_object(choice.get("allowed_tools") or choice).get("mode") or "auto")
    named = _object(choice.get("function")) or _object(choice.get("custom")) or choice
    return str(named.get("name") or "auto")


def _chat_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    given = _object(body.get("response_format"))
    return _schema({**given, **_object(given.get("json_schema"))})


def _schema(given: dict[str, Any]) -> dict[str, Any] | None:
    if given.get("type") == "json_object":
        return {}
    if "json_schema" not in given and given.get("type") != "json_schema":
        return None
    return _object(given.get("schema"))


def _stop(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(strings_in(given))


def _whole(given: Any) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
