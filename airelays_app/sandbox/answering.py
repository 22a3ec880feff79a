"""Decides what to say: from directives in the prompt, else from the request itself."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.asked import Asked, Tool
from airelays_app.sandbox.directives import Directive, directives_in
from airelays_app.sandbox.replies import (
    Call,
    CustomCall,
    Outcome,
    Part,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Usage,
    pieces,
    words,
)
from airelays_app.sandbox.synthesis import synthesise

_PLAIN_NAMESPACE = "functions"
_QUOTED_CHARACTERS = 2000


def reply_to(asked: Asked) -> Reply:
    """Return the reply to a request; the same request always gets the same one."""
    steps = [step for step in _stage(asked) if step.kind != "behave"]
    parts = _directed(asked, steps) if steps else _undirected(asked)
    if asked.reasoning and not any(isinstance(part, Reasoning) for part in parts):
        thought = f"Thinking about {_quoted(asked.prompt, 60)} …"
        parts = (Reasoning(words(thought)), *parts)
    return _limited(asked, Reply(parts, usage_of(asked, parts)))


def behaviours_for(asked: Asked) -> list[Directive]:
    """Return the ``[[behave NAME args]]`` directives that hold for this round of the prompt."""
    return [step for step in _stage(asked) if step.kind == "behave"]


def _stage(asked: Asked) -> list[Directive]:
    stages = directives_in(asked.prompt)
    return stages[asked.round] if asked.round < len(stages) else []


def usage_of(asked: Asked, parts: Iterable[Part]) -> Usage:
    """Count the tokens: a delta is a token."""
    thought = sum(len(part.deltas) for part in parts if isinstance(part, Reasoning))
    output = sum(_deltas(part) for part in parts)
    return Usage(asked.input_tokens, output, asked.cached_tokens, thought)


def _deltas(part: Part) -> int:
    if isinstance(part, Text | Refusal | Reasoning):
        return len(part.deltas)
    if isinstance(part, Call):
        return 1 + len(pieces(part.arguments))
    return 1 + len(pieces(part.text)) if isinstance(part, CustomCall) else 0


def _directed(asked: Asked, steps: list[Directive]) -> tuple[Part, ...]:
    parts = [_STEPS[step.kind](asked, step) for step in steps]
    calls = [part for part in parts if isinstance(part, Call | CustomCall)]
    if not asked.parallel:
        parts = [part for part in parts if part not in calls[1:]]
    return tuple(parts)


def _say(_: Asked, step: Directive) -> Part:
    return Text(words(step.text))


def _long(_: Asked, step: Directive) -> Part:
    count = int(step.text) if step.text.strip().isdigit() else 1000
    return Text(tuple(f"{index} " for index in range(count)))


def _annotate(_: Asked, step: Directive) -> Part:
    return Text(words(f"See {step.text} for more — ✓"), urls=(step.text,))


def _call(asked: Asked, step: Directive) -> Part:
    tool = _tool_named(asked, step.name)
    if asked.tool_choice == "none" or tool is None:
        return _no_such_tool(asked, step.name)
    return _use(tool, step.text)


_STEPS: dict[str, Callable[[Asked, Directive], Part]] = {
    "say": _say,
    "long": _long,
    "annotate": _annotate,
    "call": _call,
    "custom": _call,
    "reason": lambda _, step: Reasoning(words(step.text)),
    "redact": lambda _, step: Reasoning(words(step.text), redacted=True),
    "refuse": lambda _, step: Refusal(words(step.text)),
}


def _undirected(asked: Asked) -> tuple[Part, ...]:
    if forced := _forced_tool(asked):
        return (_use(forced, ""),)
    if asked.schema is not None:
        document = wire_json.dumps(synthesise(asked.schema) if asked.schema else {"answer": "ok"})
        return (Text(pieces(document.decode())),)
    if asked.tool_outputs:
        outputs = " and ".join(_quoted(output) for output in asked.tool_outputs)
        return (Text(words(f"The tool answered {outputs} — done ✓")),)
    noun = "message" if asked.messages == 1 else "messages"
    said = f"You have sent {asked.messages} {noun}; the last one says: {_quoted(asked.prompt)} ✓"
    return (Text(words(said)),)


def _forced_tool(asked: Asked) -> Tool | None:
    if asked.tool_choice in ("auto", "none"):
        return None
    if asked.tool_choice == "required":
        return asked.tools[0] if asked.tools else None
    return _tool_named(asked, asked.tool_choice)


def _tool_named(asked: Asked, name: str) -> Tool | None:
    for tool in asked.tools:
        if name in (tool.name, f"{tool.namespace}.{tool.name}"):
            return tool
    return None


def _use(tool: Tool, given: str) -> Part:
    namespace = None if tool.namespace == _PLAIN_NAMESPACE else tool.namespace
    if tool.kind == "custom":
        return CustomCall(tool.name, given or "made-up input", namespace)
    arguments = given or wire_json.dumps(synthesise(tool.schema or {"type": "object"})).decode()
    return Call(tool.name, arguments, namespace)


def _no_such_tool(asked: Asked, name: str) -> Part:
    known = ", ".join(tool.name for tool in asked.tools) or "none"
    if asked.tool_choice == "none":
        return Text(words(f"I may not call {name}: tool_choice is none."))
    return Text(words(f"There is no tool called {name}; known tools: {known}."))


def _quoted(text: str, most: int = _QUOTED_CHARACTERS) -> str:
    text = text.strip()
    return f"“{text[:most]}…”" if len(text) > most else f"“{text}”"


def _limited(asked: Asked, reply: Reply) -> Reply:
    """Apply ``stop`` and the token limit, which shorten the text."""
    stopped = [_stopped(part, asked.stop) for part in reply.parts]
    parts = [_shortened(part, asked.max_tokens) for part in stopped]
    shortened = replace(reply, parts=tuple(parts), usage=usage_of(asked, parts))
    if parts != stopped:
        return replace(shortened, outcome=Outcome("incomplete", "max_output_tokens"))
    met = [stop for part in reply.parts for _, stop in _stops_in(part, asked.stop)]
    return replace(shortened, outcome=Outcome(stop=met[0])) if met else shortened


def _stopped(part: Part, stops: tuple[str, ...]) -> Part:
    met = _stops_in(part, stops)
    if not met:
        return part
    assert isinstance(part, Text)
    return replace(part, deltas=words("".join(part.deltas)[: met[0][0]]))


def _stops_in(part: Part, stops: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return the stop sequences in a text and where they begin, the first one first."""
    text = "".join(part.deltas) if isinstance(part, Text) else ""
    return sorted((text.find(stop), stop) for stop in stops if stop and stop in text)


def _shortened(part: Part, most: int | None) -> Part:
    return replace(part, deltas=part.deltas[:most]) if isinstance(part, Text) else part
