"""A request of whatever shape is refused by name or made ready for its upstream, never a crash.

Bodies that are right but for a value or two, anywhere in them, go the way of every request for a
reply, from the schema to the bytes that would be sent, to every kind of provider.
"""

import json
import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings

from airelays_app.config import load_settings
from airelays_app.dialects import DIALECTS
from airelays_app.errors import BadRequest, Unprocessable, Unsupported
from airelays_app.providers.local.weights import SMOLLM2
from airelays_app.providers.registry import Surroundings, build_providers
from airelays_app.schemas.generation import GenerationSchemas
from airelays_app.services.file_inputs import inline_files
from airelays_app.services.generation import Call, prepare
from airelays_app.services.routing import Route
from tests.hostile.generated import spoilt_bodies

CASES = int(os.environ.get("FUZZ_CASES", "100"))
SETTINGS = load_settings(
    environ={
        "HOME": "/nonexistent",
        "AIRELAYS_PROVIDERS_BOX_BASE_URL": "http://127.0.0.1:9/v1",
        "AIRELAYS_PROVIDERS_BOTH_BASE_URL": "http://127.0.0.1:9/v1",
        "AIRELAYS_PROVIDERS_BOTH_DIALECTS": "responses,chat",
        "AIRELAYS_PROVIDERS_CLAUDE_KIND": "anthropic",
        "AIRELAYS_PROVIDERS_CLAUDE_API_KEY": "x",
        "AIRELAYS_PROVIDERS_GOOGLE_KIND": "gemini",
        "AIRELAYS_PROVIDERS_GOOGLE_API_KEY": "x",
    }
)
PROVIDERS = build_providers(SETTINGS, Surroundings(environ={}))
MODELS = {"local": SMOLLM2.model}
SCHEMAS = GenerationSchemas()


def no_such_file(_id, path):
    raise Unprocessable(f"{path} names no stored file.", param=path)


def made_ready(provider, dialect, raw):
    """Go the way of a request up to its call; raises RelayError."""
    body = json.loads(raw)
    SCHEMAS.validate(body, dialect=dialect.name, provider=provider, refuses_tools=False)
    inlined = inline_files(body, dialect.name, no_such_file)
    call = Call(
        dialect=dialect,
        route=Route(provider, MODELS.get(provider.name, "a-model")),
        raw=raw,
        body=inlined,
        streams=body.get("stream") is True,
        untouched=inlined is body,
    )
    return prepare(call)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_spoilt_request_is_refused_or_made_ready(name):
    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize="FUZZ_CASES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(spoilt_bodies())
    def run(spoilt):
        dialect, raw = spoilt
        with suppress(BadRequest, Unprocessable, Unsupported):
            assert json.loads(made_ready(PROVIDERS[name], DIALECTS[dialect], raw).body)

    run()


def test_every_kind_of_provider_is_there():
    assert {provider.kind for provider in PROVIDERS.values()} >= {
        "codex",
        "compatible",
        "anthropic",
        "gemini",
        "local",
    }
