"""What one request was and how it went: the facts of its log line."""

import re
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from airelays_app.neutral.usage import Usage

_NAME = re.compile(r"[\w.:@+-]{0,100}", re.ASCII)
_MOST_NAMES = 24


@dataclass(slots=True)
class Record:
    """Filled along the way; times in seconds, sizes in bytes. No prompt, no answer, no secret."""

    request_id: str
    method: str = ""
    path: str = ""
    address: str = ""
    credential: str = ""
    status: int = 0
    provider: str = ""
    model: str = ""
    dialect: str = ""
    upstream_dialect: str = ""
    attempts: int = 0
    upstream_status: int = 0
    stream: bool = False
    ignored: tuple[str, ...] = ()
    usage: Usage | None = None
    outcome: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    first_byte: float | None = None
    begun: float = field(default_factory=monotonic)

    def fields(self) -> dict[str, Any]:
        """Return what the log line says: only what is known."""
        facts = {
            "id": self.request_id,
            "client": self.address,
            "credential": self.credential,
            "method": self.method,
            "path": _names(self.path, "/"),
            "status": self.status,
            "outcome": _names(self.outcome, "/"),
            "ms": round((monotonic() - self.begun) * 1000, 1),
            "first_ms": None if self.first_byte is None else round(self.first_byte * 1000, 1),
            "in": self.bytes_in,
            "out": self.bytes_out,
            "dialect": self.dialect,
            "provider": self.provider,
            "upstream_dialect": self.upstream_dialect,
            "model": _names(self.model, "/"),
            "stream": self.stream,
            "attempts": self.attempts,
            "upstream_status": self.upstream_status,
            "ignored": _names(",".join(self.ignored), ","),
            **self._tokens(),
        }
        return {name: value for name, value in facts.items() if value not in ("", None, 0, False)}

    def _tokens(self) -> dict[str, int]:
        if self.usage is None:
            return {}
        return {
            "input_tokens": self.usage.input_total,
            "cached_tokens": self.usage.cache_read,
            "output_tokens": self.usage.output_total,
            "reasoning_tokens": self.usage.reasoning,
        }

    def sent(self, size: int) -> None:
        """Count bytes that went to the client, and note when the first did."""
        self.bytes_out += size
        if self.first_byte is None:
            self.first_byte = monotonic() - self.begun


def _names(text: str, separator: str) -> str:
    """Return text that a client or an upstream chose with whatever is no name in it replaced.

    Somebody may have put a prompt where a model, a field or an error code is named.
    """
    words = text.split(separator)
    shown = [word if _NAME.fullmatch(word) else f"<{len(word)}>" for word in words[:_MOST_NAMES]]
    return separator.join(shown) if len(words) <= _MOST_NAMES else f"{separator.join(shown)}..."
