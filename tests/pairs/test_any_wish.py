"""Whatever a request wishes for, a vendor of another dialect takes it, or we refuse it by name.

Tools and choices of them, formats, the sampler, stops, limits, thought, hints, in any combination:
no vendor is sent what it is known to refuse, and nobody is asked for what cannot be.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airelays_app.neutral.request import (
    Hints,
    Message,
    OutputFormat,
    Request,
    Sampling,
    Text,
    Tool,
    ToolChoice,
)
from tests.pairs.clients import PLACE
from tests.pairs.test_any_conversation import PAIRS, PATHS, written

SAID = (Message("user", (Text("[[say Hi]]"),)),)
LOOSE = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 1}, "n": {"type": "integer"}},
}
ADD, SUB = Tool("add", "Adds.", PLACE), Tool("sub", None, LOOSE)
TOOLS = [(), (ADD,), (Tool("add", "Adds.", PLACE, strict=True), SUB), (ADD, Tool("now", "Tells."))]
CHOICES = [
    *map(ToolChoice, ("auto", "none", "required")),
    ToolChoice("named", ("add",)),
    ToolChoice("allowed", ("add",)),
    ToolChoice("allowed", ("add",), required=True),
]
FORMATS = [
    None,
    OutputFormat("text"),
    OutputFormat("json_object"),
    OutputFormat("json_schema", "place", PLACE, strict=True),
    OutputFormat("json_schema", "place", LOOSE),
    OutputFormat("json_schema", "place", LOOSE, strict=False, description="A place."),
]


FORMAT = {
    "responses": "text.format",
    "chat": "response_format",
    "messages": "output_config.format",
    "gemini": "generationConfig.response",
}
"""The only wish that some vendor cannot grant at all, by its name."""


def one_of(*values):
    return st.sampled_from([None, *values])


samplers = st.builds(
    Sampling,
    temperature=one_of(0, 0.7, 1, 2),
    top_p=one_of(0.5, 1),
    presence_penalty=one_of(0, 1.5),
    frequency_penalty=one_of(-1),
    seed=one_of(7),
    stop=st.sampled_from([(), ("a",), (" ",), tuple("abcdefg"), ("\n\n", "END")]),
)
hints = st.builds(
    Hints,
    user=one_of("me", "u" * 100),
    metadata=one_of({"a": "b"}),
    service_tier=one_of("auto", "default", "priority", "flex"),
    prompt_cache_key=one_of("key"),
)


@st.composite
def wishes(draw):
    tools = draw(st.sampled_from(TOOLS))
    return Request(
        "m",
        SAID,
        tools=tools,
        tool_choice=draw(one_of(*CHOICES)) if tools else None,
        parallel_tool_calls=draw(one_of(True, False)) if tools else None,
        format=draw(st.sampled_from(FORMATS)),
        sampling=draw(samplers),
        hints=draw(hints),
        verbosity=draw(one_of("low", "high")),
        reasoning_effort=draw(one_of(*"none minimal low medium high xhigh max".split())),
        reasoning_summary=draw(one_of("auto")),
        max_output_tokens=draw(one_of(1, 16, 1024, 3000, 100_000)),
    )


@pytest.fixture(scope="module")
def module_relay(start_relay):
    return start_relay(
        plain="responses",
        vendors=True,
        UPSTREAM_RETRY_ATTEMPTS="0",
        COMPAT_TOKEN_LIMITS="ignore",
    )


@pytest.mark.parametrize(("client", "model"), PAIRS)
@settings(max_examples=8)
@given(request=wishes())
def test_it_is_granted_or_refused_by_name(module_relay, client, model, request):
    body = written(client, request)
    module_relay.sandbox.reset()

    answer = module_relay.post(
        PATHS[client].format(model), body if client == "gemini" else {**body, "model": model}
    )

    if answer.status_code != 200:
        assert not module_relay.sandbox.requests, (answer.text, body)
        assert answer.status_code in (400, 422)
        assert FORMAT[client] in answer.text
