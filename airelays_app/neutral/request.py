"""What a client asks for, in no dialect's words."""

from dataclasses import dataclass, field
from typing import Any, Literal

from airelays_app.neutral.seals import Seal

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text; ``native`` keeps what its own dialect had beside it (annotations)."""

    text: str
    native: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model's own refusal, echoed by the client."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image by ``http(s):`` or ``data:`` URL."""

    url: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A document by URL or as a ``data:`` URL."""

    filename: str | None = None
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound as base64 in ``format`` (``wav``, ``mp3``)."""

    data: str
    format: str


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


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the client's tool gave back."""

    call_id: str
    parts: tuple["Part", ...]
    custom: bool = False
    is_error: bool = False
    native: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    """An item of ``dialect`` that no other dialect has a word for."""

    dialect: str
    payload: dict[str, Any]
    path: str


Part = Text | Refusal | Image | File | Audio | Reasoning | ToolCall | ToolResult | Opaque


@dataclass(frozen=True, slots=True)
class Message:
    """One turn, or a piece of one."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the client runs.

    ``parameters`` is a JSON schema for a function; ``format`` is the grammar of a custom tool
    (free text when None). ``strict`` is None when the client did not say.
    """

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    custom: bool = False
    format: dict[str, Any] | None = None


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


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a reply."""

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
    reasoning_summary: str | None = None
    max_output_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    hints: Hints = field(default_factory=Hints)
