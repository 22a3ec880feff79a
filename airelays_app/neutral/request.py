"""What a client asks for, in no dialect's words."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from airelays_app.neutral.seals import Seal

Role = Literal["system", "developer", "user", "assistant", "tool"]


CacheHint = dict[str, Any]
"""Where a client marks the end of what the upstream should cache: ``{"type": "ephemeral"}``.

The wire's own object, because all dialects that have such a mark write it alike.
"""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text; ``native`` keeps what its own dialect had beside it (annotations)."""

    text: str
    native: dict[str, Any] | None = None
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model's own refusal, echoed by the client."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image by ``http(s):`` or ``data:`` URL."""

    url: str
    detail: str | None = None
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A document by URL or as a ``data:`` URL; ``path`` is where the client wrote it."""

    filename: str | None = None
    data: str | None = None
    url: str | None = None
    cache: CacheHint | None = None
    path: str = "file"


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound as base64 in ``format`` (``wav``, ``mp3``); ``path`` is where the client wrote it."""

    data: str
    format: str
    path: str = "input_audio"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning of an earlier turn: what was shown of it, and its seal."""

    text: str
    seal: Seal | None = None
    native: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made; ``arguments`` is the raw string, JSON or (custom) free text."""

    call_id: str
    name: str
    arguments: str
    custom: bool = False
    native: dict[str, Any] | None = None
    cache: CacheHint | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the client's tool gave back."""

    call_id: str
    parts: tuple["Part", ...]
    custom: bool = False
    is_error: bool = False
    native: dict[str, Any] | None = None
    cache: CacheHint | None = None

    @property
    def told(self) -> tuple["Part", ...]:
        """The parts for a dialect without a mark for errors: a text says that it is one."""
        if not self.is_error:
            return self.parts
        first = self.parts[0] if self.parts else Text("")
        if isinstance(first, Text):
            return replace(first, text=f"Error: {first.text}"), *self.parts[1:]
        return Text("Error:"), *self.parts


@dataclass(frozen=True, slots=True)
class Opaque:
    """An item of ``dialect`` that no other dialect has a word for.

    ``essential``: without it, something else would be asked.
    """

    dialect: str
    payload: dict[str, Any]
    path: str
    essential: bool = False


Part = Text | Refusal | Image | File | Audio | Reasoning | ToolCall | ToolResult | Opaque


@dataclass(frozen=True, slots=True)
class Message:
    """One turn, or a piece of one.

    ``in_place`` marks steering text that holds from here on: moved to the front it would change
    what was said before, for the model and for the upstream's cache.
    """

    role: Role
    parts: tuple[Part, ...]
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the client runs.

    ``parameters`` is a JSON schema for a function; ``format`` is the grammar of a custom tool
    (free text when None). ``strict`` is None when the client did not say. ``namespace`` is the
    group in which its name is unique. ``called_as_function`` says of a custom tool that the client
    reads its calls as functions', whose arguments are the text.
    """

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    custom: bool = False
    format: dict[str, Any] | None = None
    cache: CacheHint | None = None
    namespace: str | None = None
    called_as_function: bool = False


@dataclass(frozen=True, slots=True)
class HostedTool:
    """A tool that only ``dialect`` knows: web search, namespaces, computer use."""

    dialect: str
    payload: dict[str, Any]
    path: str


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tools may or must be called; ``names`` for one named tool or an allowed set."""

    mode: Literal["auto", "none", "required", "named", "allowed"]
    names: tuple[str, ...] = ()
    custom: bool = False
    required: bool = False
    native: dict[str, Any] | None = None

    @property
    def is_native(self) -> bool:
        """Whether it names a tool that only its own dialect knows."""
        return self.mode == "auto" and self.native is not None

    def allows(self, name: str) -> bool:
        """Tell whether the tool called ``name`` may be called at all."""
        return self.mode != "allowed" or name in self.names


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What the visible text must look like."""

    kind: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Knobs of the sampler; None is "not set"."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """Fields that steer the upstream's service, not the model's words; None is "not set"."""

    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    include: tuple[str, ...] = ()
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a reply.

    ``reasoning_effort`` is a word (``none`` to ``max``), ``reasoning_budget`` a number of tokens;
    a client gives one of them. ``wants_seals`` says that it will bring back reasoning with its
    seal, so the upstream has to be asked for one.
    """

    model: str
    messages: tuple[Message, ...]
    instructions: str | None = None
    stream: bool = False
    include_usage: bool = False
    tools: tuple[Tool | HostedTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    format: OutputFormat | None = None
    verbosity: str | None = None
    reasoning_effort: str | None = None
    reasoning_budget: int | None = None
    reasoning_summary: str | None = None
    wants_seals: bool = False
    max_output_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    hints: Hints = field(default_factory=Hints)


def has_cache_hints(request: Request) -> bool:
    """Tell whether the client marked anything for the upstream's cache."""
    if request.hints.cache or any(isinstance(t, Tool) and t.cache for t in request.tools):
        return True
    return any(_is_marked(part) for message in request.messages for part in message.parts)


def _is_marked(part: Part) -> bool:
    if isinstance(part, ToolResult):
        return bool(part.cache) or any(map(_is_marked, part.parts))
    return isinstance(part, Text | Image | File | ToolCall) and bool(part.cache)
