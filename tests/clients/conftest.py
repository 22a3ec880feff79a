"""The openai SDK pointed at a running relay, and the SDK's own models as the measure of answers."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from openai import OpenAI
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

SUBSCRIPTION = "gpt-5.5"
CHAT_SERVER = "box/sandbox-small"
RESPONSES_SERVER = "plain/sandbox-small"


class Strictly:
    """Reads answers as the SDK's models declare them: nothing missing, nothing of a wrong type.

    The SDK itself only guesses (it builds models without validation); fields that the models do
    not know are fine.
    """

    @staticmethod
    def read(model: Any, answer: Any) -> Any:
        """Return ``answer``, JSON text or a parsed value, as ``model``."""
        text = answer if isinstance(answer, str | bytes) else json.dumps(answer)
        try:
            return _adapter(model).validate_json(text, strict=True)
        except ValidationError as error:
            wrong = _least(error)
        return pytest.fail(f"The SDK declares it otherwise: {wrong}\n{text!r}")

    @classmethod
    def event(cls, event: dict[str, Any]) -> Any:
        """Return one event of a Responses stream as the model of its type."""
        return cls.read(ResponseStreamEvent, event)


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    """Return what validates ``model``; to make one takes longer than all it does."""
    return TypeAdapter(model)


def _least(error: ValidationError) -> list[str]:
    """Return what is wrong with the union member that comes nearest, if unions are involved."""
    members: dict[tuple[str, ...], list[str]] = {}
    for one in error.errors(include_url=False, include_input=False):
        names = [part for part in one["loc"] if isinstance(part, str)]
        member = tuple(name for name in names if name[:1].isupper())
        members.setdefault(member, []).append(f"{'.'.join(map(str, one['loc']))}: {one['msg']}")
    return min(members.values(), key=lambda wrong: (".type:" in str(wrong), len(wrong)))


@pytest.fixture(scope="session")
def strictly() -> type[Strictly]:
    return Strictly


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with the subscription, a chat server, and a Responses server."""
    return start_relay(plain="responses,chat")


@pytest.fixture(params=[SUBSCRIPTION, CHAT_SERVER, RESPONSES_SERVER])
def model(request: pytest.FixtureRequest) -> str:
    """Return a model of each kind of upstream in turn."""
    return str(request.param)


@pytest.fixture
def client(relay) -> Iterator[OpenAI]:
    with OpenAI(base_url=relay.base_url, api_key=relay.token, max_retries=0, timeout=120) as client:
        yield client
