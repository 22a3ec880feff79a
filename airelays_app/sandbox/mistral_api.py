"""Mistral's API as far as the relay meets it: chat, models, files and batch jobs.

Its chat is that of other servers but for the fields that it does not know, which it refuses.
"""

from dataclasses import replace

from airelays_app.sandbox.compatible import COMPATIBLE_MODELS, Compatible
from airelays_app.sandbox.exchange import Answer, json_answer
from airelays_app.sandbox.mistral_batches import Jobs
from airelays_app.sandbox.mistral_wire import invalid
from airelays_app.sandbox.routing import ANY_METHOD, Handle, Place, Route, Visit, beside
from airelays_app.sandbox.settings import Settings

BASE = "/mistral/v1"
"""Where it is on the sandbox's port, beside the compatible server's /v1."""

_KNOWN = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format"),
        *("temperature", "top_p", "max_tokens", "stop", "n", "random_seed", "stream"),
        *("presence_penalty", "frequency_penalty", "prediction", "prompt_mode", "guardrails"),
        *("reasoning_effort", "safe_prompt", "metadata"),
    }
)
"""The fields of a request (openapi.yaml, seen 2026-11-26)."""


class Mistral:
    """The API's routes; ``key`` is the API key it wants."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = Compatible(settings)
        self.key = self._server.key

    def routes(self) -> dict[Place, Route]:
        """Return the API's routes by method and path."""
        spoken = self._server.routes()["POST", "/v1/chat/completions"]
        chat = replace(spoken, handle=_strict(spoken.handle))
        jobs = Jobs(self._settings, chat, BASE)
        handlers: dict[Place, Handle] = {
            ("GET", f"{BASE}/models"): _models,
            ("POST", f"{BASE}/files"): jobs.upload,
            (ANY_METHOD, f"{BASE}/files/"): jobs.file,
            ("POST", f"{BASE}/batch/jobs"): jobs.create,
            ("GET", f"{BASE}/batch/jobs"): jobs.list,
            (ANY_METHOD, f"{BASE}/batch/jobs/"): jobs.job,
        }
        return {("POST", f"{BASE}/chat/completions"): chat, **beside(chat, handlers)}


def _strict(answer: Handle) -> Handle:
    def handle(visit: Visit) -> Answer | None:
        if unknown := visit.body.keys() - _KNOWN:
            return invalid(min(unknown), "Extra inputs are not permitted")
        return answer(visit)

    return handle


def _models(_: Visit) -> Answer:
    data = [
        {"id": name, "object": "model", "type": "base", "capabilities": {"completion_chat": True}}
        for name in COMPATIBLE_MODELS
    ]
    return json_answer(200, {"object": "list", "data": data})
