"""What a row about a client says, and how the owner's address and token get into it."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DIALECTS: Mapping[str, str] = MappingProxyType(
    {
        "responses": "OpenAI Responses",
        "chat": "OpenAI Chat Completions",
        "messages": "Anthropic Messages",
        "gemini": "Gemini",
    }
)
"""The dialects that clients speak, with their names for people."""


class _Template(string.Template):
    """``%{name}``, because shell, JavaScript and LibreChat all use the dollar sign."""

    delimiter = "%"


@dataclass(frozen=True, slots=True)
class Connection:
    """What is filled into a row. ``base_url`` ends in ``/v1``, ``root_url`` does not."""

    base_url: str
    root_url: str
    token: str
    model: str

    def fill(self, text: str) -> str:
        """Return ``text`` with ``%{base_url}`` and the other fields replaced."""
        return _Template(text).substitute(
            base_url=self.base_url, root_url=self.root_url, token=self.token, model=self.model
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: ``where`` says in which file, shell or menu; ``text`` is to be pasted."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Client:
    """A client: ``slug`` is its name for ``airelays connect``, ``dialect`` what it speaks."""

    slug: str
    name: str
    dialect: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
