"""The compatible server speaks chat, completions and Responses so that the openai SDK is content,
streams usage only when asked, and honours limits; its variants differ as real servers do.
"""

from collections.abc import Iterator

import openai
import orjson
import pytest
from openai import OpenAI
from pydantic import BaseModel

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CHAT_TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": WEATHER}},
    {"type": "custom", "custom": {"name": "shell"}},
]
RESPONSES_TOOLS = [
    {"type": "function", "name": "weather", "parameters": WEATHER, "strict": True},
    {"type": "custom", "name": "shell"},
]
TWO_CALLS = '[[call weather {"city":"Zürich","days":2}]] [[call weather {"city":"Rom","days":1}]]'
MODEL = "sandbox-small"


class Forecast(BaseModel):
    city: str
    hot: bool
    hours: list[int]


@pytest.fixture
def sdk(sandbox) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=sandbox.compatible_url, api_key=sandbox.compatible_key, max_retries=0
    ) as client:
        yield client


def asked(prompt):
    return [{"role": "user", "content": prompt}]


def test_the_sdk_lists_models(sdk):
    assert MODEL in [model.id for model in sdk.models.list()]


def test_the_sdk_chats(sdk):
    answer = sdk.chat.completions.create(model=MODEL, messages=asked("ça va ?"))
    said = answer.choices[0].message.content
    assert said == "You have sent 1 message; the last one says: “ça va ?” ✓"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_sdk_streams_a_chat(sdk):
    stream = sdk.chat.completions.create(
        model=MODEL,
        messages=asked("[[say eins zwei]]"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks[:-1]]
    assert "".join(texts) == "eins zwei"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 2


def test_usage_is_streamed_only_when_asked_for(compatible):
    assert all("usage" not in chunk for chunk in compatible.chunks())
    assert all(chunk["choices"] for chunk in compatible.chunks())
    assert compatible.chat(stream=True).content.endswith(b"data: [DONE]\n\n")


def test_the_sdk_collects_parallel_calls_from_a_chat_stream(sdk):
    with sdk.chat.completions.stream(
        model=MODEL, messages=asked(TWO_CALLS), tools=CHAT_TOOLS[:1]
    ) as stream:
        pieces = [
            event
            for event in stream
            if event.type == "tool_calls.function.arguments.delta" and event.arguments_delta
        ]
        final = stream.get_final_completion().choices[0]
    assert final.finish_reason == "tool_calls"
    arguments = [orjson.loads(call.function.arguments) for call in final.message.tool_calls]
    assert arguments == [{"city": "Zürich", "days": 2}, {"city": "Rom", "days": 1}]
    assert len(pieces) > len(arguments)


def test_parallel_calls_can_be_switched_off(compatible):
    message = compatible.chat(TWO_CALLS, tools=CHAT_TOOLS, parallel_tool_calls=False).json()[
        "choices"
    ][0]["message"]
    assert len(message["tool_calls"]) == 1


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "weather"}}]
)
def test_a_forced_tool_gets_arguments_that_fit(compatible, choice):
    answer = compatible.chat("hi", tools=CHAT_TOOLS, tool_choice=choice).json()
    call = answer["choices"][0]["message"]["tool_calls"][0]
    assert orjson.loads(call["function"]["arguments"]) == {"city": "city", "days": 1}
    assert answer["choices"][0]["finish_reason"] == "tool_calls"


def test_tool_choice_none_calls_nothing(compatible):
    message = compatible.chat(TWO_CALLS, tools=CHAT_TOOLS, tool_choice="none").json()
    assert "tool_calls" not in message["choices"][0]["message"]


def test_custom_tools_work_in_chat(compatible):
    answer = compatible.chat("[[custom shell ls -l]]", tools=CHAT_TOOLS).json()
    call = answer["choices"][0]["message"]["tool_calls"][0]
    assert (call["type"], call["custom"]) == ("custom", {"name": "shell", "input": "ls -l"})


def test_a_tool_loop_ends_with_the_output_quoted(compatible):
    first = compatible.chat(f"{TWO_CALLS} [[then]] [[say ready]]", tools=CHAT_TOOLS).json()
    message = first["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"sun {number}"}
        for number, call in enumerate(message["tool_calls"])
    ]
    asked_first = asked(f"{TWO_CALLS} [[then]] [[say ready]]")
    second = compatible.chat([*asked_first, message, *results], tools=CHAT_TOOLS).json()
    assert second["choices"][0]["message"]["content"] == "ready"
    plain = compatible.chat([*asked(TWO_CALLS), message, *results], tools=CHAT_TOOLS).json()
    said = plain["choices"][0]["message"]["content"]
    assert said == "The tool answered “sun 0” and “sun 1” — done ✓"


def test_the_sdk_parses_structured_output_in_both_dialects(sdk):
    chat = sdk.chat.completions.parse(model=MODEL, messages=asked("hi"), response_format=Forecast)
    assert isinstance(chat.choices[0].message.parsed, Forecast)
    answer = sdk.responses.parse(model=MODEL, input="hi", text_format=Forecast)
    assert isinstance(answer.output_parsed, Forecast)


def test_reasoning_comes_when_asked_for(compatible):
    plain = compatible.chat("hi").json()["choices"][0]["message"]
    assert "reasoning_content" not in plain
    message = compatible.chat("hi", reasoning_effort="low").json()["choices"][0]["message"]
    assert message["reasoning_content"] == "Thinking about “hi” …"
    deltas = [
        chunk["choices"][0]["delta"] for chunk in compatible.chunks("[[reason so]] [[say x]]")
    ]
    assert {"reasoning_content": "so"} in deltas


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ({"max_tokens": 2}, "one two", "length"),
        ({"max_completion_tokens": 1}, "one", "length"),
        ({"max_tokens": 4}, "one two three four", "stop"),
        ({"stop": " three"}, "one two", "stop"),
        ({"stop": ["four", "two"]}, "one ", "stop"),
        ({"temperature": 0.1, "top_p": 0.5, "seed": 7}, "one two three four", "stop"),
    ],
)
def test_limits_are_honoured(compatible, fields, text, reason):
    choice = compatible.chat("[[say one two three four]]", **fields).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (text, reason)
    chunks = compatible.chunks("[[say one two three four]]", **fields)
    streamed = [chunk["choices"][0] for chunk in chunks]
    assert "".join(one["delta"].get("content") or "" for one in streamed) == text
    assert streamed[-1]["finish_reason"] == reason


def test_a_content_filter_is_a_finish_reason(compatible):
    compatible.sandbox.script("incomplete", reason="content_filter")
    assert compatible.chat().json()["choices"][0]["finish_reason"] == "content_filter"


def test_a_refusal_has_its_own_field(sdk):
    message = sdk.chat.completions.create(model=MODEL, messages=asked("[[refuse no]]"))
    assert message.choices[0].message.refusal == "no"
    assert message.choices[0].message.content is None or not message.choices[0].message.content


def test_a_failing_chat_stream_ends_with_an_error_the_sdk_raises(sdk, sandbox):
    sandbox.script("failed", after=1, message="broken halfway")
    stream = sdk.chat.completions.create(model=MODEL, messages=asked("[[long 9]]"), stream=True)
    with pytest.raises(openai.APIError, match="broken halfway"):
        list(stream)


def test_the_sdk_completes(sdk):
    answer = sdk.completions.create(model=MODEL, prompt="[[say a b c]]", max_tokens=2)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("a b", "length")
    stream = sdk.completions.create(
        model=MODEL,
        prompt="[[say a b]]",
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == "a b"
    assert chunks[-1].usage.completion_tokens == 2


def test_the_sdk_gets_a_response_whole_and_streamed(sdk):
    answer = sdk.responses.create(model=MODEL, input="[[say hé]]")
    assert (answer.status, answer.output_text) == ("completed", "hé")
    with sdk.responses.stream(model=MODEL, input=TWO_CALLS, tools=RESPONSES_TOOLS) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    cities = [orjson.loads(item.arguments)["city"] for item in final.output]
    assert cities == ["Zürich", "Rom"]
    assert final.usage.total_tokens == final.usage.input_tokens + final.usage.output_tokens


def test_a_response_has_citations_and_reasoning(sdk):
    answer = sdk.responses.create(
        model=MODEL,
        input="[[annotate https://example.org/a]]",
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    )
    thought, message = answer.output
    assert thought.summary[0].text.startswith("Thinking about")
    assert thought.encrypted_content
    note = message.content[0].annotations[0]
    assert message.content[0].text[note.start_index : note.end_index] == note.url


def test_a_wrong_key_is_401(sandbox):
    with (
        OpenAI(base_url=sandbox.compatible_url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/chat/completions", {"model": MODEL}, 400, "messages"),
        ("/chat/completions", {"messages": asked("x")}, 400, "model"),
        ("/chat/completions", {"model": "ghost", "messages": asked("x")}, 404, "model"),
        ("/chat/completions", {"model": MODEL, "messages": asked("x"), "n": 2}, 400, "n"),
        ("/chat/completions", {"model": MODEL, "messages": ["x"]}, 400, "messages"),
        (
            "/chat/completions",
            {"model": MODEL, "messages": [{"role": "x"}]},
            400,
            "messages[0].role",
        ),
        (
            "/chat/completions",
            {"model": MODEL, "messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]},
            400,
            "messages[0].role",
        ),
        ("/completions", {"model": MODEL}, 400, "prompt"),
        ("/responses", {"model": MODEL}, 400, "input"),
        ("/chat/completions", [1], 400, None),
    ],
)
def test_bad_requests_name_the_field(compatible, path, body, status, param):
    answer = compatible.post(path, body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_llamacpp_opens_with_null_content(compatible):
    compatible.sandbox.settings.variant = "llamacpp"
    first = compatible.chunks()[0]["choices"][0]["delta"]
    assert first == {"role": "assistant", "content": None}


def test_llamacpp_numbers_nothing_and_ends_all_items_together(compatible):
    compatible.sandbox.settings.variant = "llamacpp"
    body = {"model": MODEL, "input": TWO_CALLS, "tools": RESPONSES_TOOLS}
    events = compatible.events_of(compatible.post("/responses", {**body, "stream": True}).content)
    kinds = [event["type"] for event in events]
    assert kinds[-3:] == ["response.output_item.done"] * 2 + ["response.completed"]
    for answer in (events[-1]["response"], compatible.post("/responses", body).json()):
        assert [item["name"] for item in answer["output"]] == ["weather"] * 2
        assert "tools" not in answer
    assert not {"sequence_number", "output_index"} & {name for event in events for name in event}


def test_ollama_repeats_the_role_and_sends_calls_whole(compatible):
    compatible.sandbox.settings.variant = "ollama"
    chunks = compatible.chunks(TWO_CALLS, tools=CHAT_TOOLS)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert all(delta["role"] == "assistant" for delta in deltas)
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    cities = [orjson.loads(call["function"]["arguments"])["city"] for call in calls]
    assert cities == ["Zürich", "Rom"]


def test_the_eventless_variant_has_no_event_lines(compatible):
    compatible.sandbox.settings.variant = "eventless"
    body = {"model": MODEL, "input": "[[say x]]", "stream": True}
    content = compatible.post("/responses", body).content
    assert b"event:" not in content
    assert compatible.events_of(content)[-1]["type"] == "response.completed"
