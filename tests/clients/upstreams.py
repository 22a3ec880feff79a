"""The upstreams on which clients are tried, all played by the sandbox of one relay."""

from collections.abc import Sequence
from dataclasses import dataclass

from airelays_app.sandbox.recorded import RecordedRequest


@dataclass(frozen=True, slots=True)
class Upstream:
    """``model`` leads there; ``path`` is how what the stand-in is asked ends, for a reply."""

    name: str
    model: str
    path: str

    def among(self, requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
        """Return the requests for replies that reached it, streamed or not."""
        return [each for each in requests if self.path in each.path]


SUBSCRIPTION = Upstream("the subscription (Responses)", "gpt-5.5", "/codex/responses")
CHAT_SERVER = Upstream("a Chat Completions server", "box/sandbox-small", "/v1/chat/completions")
ANTHROPIC = Upstream("Anthropic (Messages)", "anthropic/claude-opus-4-8", "/anthropic/v1/messages")
GOOGLE = Upstream("Google (Gemini)", "gemini/gemini-3.5-flash", "/models/gemini-3.5-flash:")
UPSTREAMS = (SUBSCRIPTION, CHAT_SERVER, ANTHROPIC, GOOGLE)
"""One of each dialect."""
