"""A running sandbox, a login at it, and the calls that most tests make."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import requests

from airelays_app.sandbox import Sandbox


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    running.reset()


@pytest.fixture
def codex(sandbox: Sandbox) -> Iterator["Codex"]:
    with requests.Session() as session:
        yield Codex(sandbox, session, sandbox.login())


@pytest.fixture
def compatible(sandbox: Sandbox) -> Iterator["Compatible"]:
    with requests.Session() as session:
        yield Compatible(sandbox, session)


class Reading:
    """What tests make of streams."""

    @staticmethod
    def user(text: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "input_text", "text": text}]}

    @staticmethod
    def events_of(body: bytes) -> list[dict[str, Any]]:
        """The data objects of a stream of frames with LF line ends, ``[DONE]`` left out."""
        lines = [line for line in body.split(b"\n") if line.startswith(b"data: ")]
        return [orjson.loads(line[6:]) for line in lines if line != b"data: [DONE]"]

    @staticmethod
    def text_of(events: list[dict[str, Any]]) -> str:
        kind = "response.output_text.delta"
        return "".join(event["delta"] for event in events if event["type"] == kind)


@dataclass
class Codex(Reading):
    """A client of the ChatGPT backend."""

    sandbox: Sandbox
    session: requests.Session
    login: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.login['access_token']}",
            "ChatGPT-Account-ID": self.login["account_id"],
            "originator": "codex_cli_rs",
        }

    def get(self, path: str, **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers)
        return self.session.get(f"{self.sandbox.issuer_url}{path}", timeout=30, **options)

    def body(self, prompt: Any = "hello", **fields: Any) -> dict[str, Any]:
        items = prompt if isinstance(prompt, list) else [self.user(prompt)]
        standard = {"model": "gpt-5.5", "instructions": ".", "stream": True, "store": False}
        return {**standard, "input": items, **fields}

    def post(self, body: dict[str, Any], **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers)
        url = f"{self.sandbox.codex_url}/responses"
        return self.session.post(url, json=body, timeout=30, **options)

    def events(self, prompt: Any = "hello", **fields: Any) -> list[dict[str, Any]]:
        answer = self.post(self.body(prompt, **fields))
        assert answer.status_code == 200, answer.text
        return self.events_of(answer.content)

    def text(self, prompt: Any = "hello", **fields: Any) -> str:
        return self.text_of(self.events(prompt, **fields))


@dataclass
class Compatible(Reading):
    """A client of the compatible server."""

    sandbox: Sandbox
    session: requests.Session
    extra: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.sandbox.compatible_key}", **self.extra}
        url = f"{self.sandbox.compatible_url}{path}"
        return self.session.post(url, json=body, headers=headers, timeout=30)

    def chat(self, prompt: Any = "hello", **fields: Any) -> requests.Response:
        messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        body = {"model": "sandbox-small", "messages": messages, **fields}
        return self.post("/chat/completions", body)

    def chunks(self, prompt: Any = "hello", **fields: Any) -> list[dict[str, Any]]:
        answer = self.chat(prompt, stream=True, **fields)
        assert answer.status_code == 200, answer.text
        return self.events_of(answer.content)
