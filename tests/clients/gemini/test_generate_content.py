"""The google-genai SDK generates content on upstreams of every dialect: text, streams, tools,
images, structured output, stops and limits; what it reads is what was said.
"""

import asyncio
import base64
import json

import pytest
from google.genai import types
from pydantic import BaseModel

RESPONSES_UPSTREAM = "gpt-5.5"
CHAT_UPSTREAM = "box/sandbox-small"
MESSAGES_UPSTREAM = "anthropic/claude-opus-4-8"
GEMINI_UPSTREAM = "gemini/gemini-3.5-flash"
UPSTREAM_PATHS = {
    RESPONSES_UPSTREAM: "/codex/responses",
    CHAT_UPSTREAM: "/v1/chat/completions",
    MESSAGES_UPSTREAM: "/anthropic/v1/messages",
    GEMINI_UPSTREAM: "/models/gemini-3.5-flash:generateContent",
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
IGNORED = "x-airelays-ignored-parameters"
ADD = types.FunctionDeclaration(
    name="add",
    description="Add two numbers.",
    parameters=types.Schema(
        type=types.Type.OBJECT,
        properties={name: types.Schema(type=types.Type.INTEGER) for name in "ab"},
        required=["a", "b"],
    ),
)
TWO_CALLS = '[[say Both.]] [[call add {"a":1,"b":2}]] [[call add {"a":3,"b":4}]]'


def config(**fields):
    return types.GenerateContentConfig(**fields)


def tools(*declarations, **fields):
    off = types.AutomaticFunctionCallingConfig(disable=True)
    listed = [types.Tool(function_declarations=list(declarations))]
    return config(tools=listed, automatic_function_calling=off, **fields)


def ask(client, model, contents, given=None):
    return client.models.generate_content(model=model, contents=contents, config=given)


def streamed(client, model, contents, given=None):
    return list(client.models.generate_content_stream(model=model, contents=contents, config=given))


def asked_of(relay, model):
    """Return the body of the last request that reached the model's upstream, as JSON text."""
    body = relay.sandbox.requests.to(UPSTREAM_PATHS[model])[-1].json
    return json.dumps(body, ensure_ascii=False)


def headers_of(answer):
    return answer.sdk_http_response.headers


@pytest.mark.parametrize("version", ["v1", "v1beta", None])
def test_content_is_generated_under_either_version(connect, model, version):
    answer = ask(connect(version=version), model, "[[say Hello there — ✓]]")

    assert answer.text == "Hello there — ✓"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.candidates[0].content.role == "model"
    counts = answer.usage_metadata
    assert counts.prompt_token_count > 0
    assert counts.candidates_token_count > 0
    assert counts.total_token_count == (
        counts.prompt_token_count
        + counts.candidates_token_count
        + (counts.thoughts_token_count or 0)
    )
    assert answer.response_id
    assert answer.model_version == model.rpartition("/")[2]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_stream_adds_up_to_the_same(connect, model, version):
    chunks = streamed(connect(version=version), model, "[[say Hello there — ✓]]")

    texts = [chunk.text for chunk in chunks if chunk.text]
    assert "".join(texts) == "Hello there — ✓"
    assert len(texts) > 1
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.candidates_token_count > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_parallel_calls_go_and_their_results_come_back(client, model, relay, stream):
    """The SDK's chat keeps the history; the results have no ids, only names and an order."""
    chat = client.chats.create(model=model, config=tools(ADD))
    answers = (
        list(chat.send_message_stream(TWO_CALLS)) if stream else [chat.send_message(TWO_CALLS)]
    )

    calls = [call for answer in answers for call in answer.function_calls or []]
    assert [(call.name, call.args) for call in calls] == [
        ("add", {"a": 1, "b": 2}),
        ("add", {"a": 3, "b": 4}),
    ]
    results = [
        types.Part.from_function_response(name="add", response={"error": "No such sum."}),
        types.Part.from_function_response(name="add", response={"result": "seven"}),
    ]
    second = chat.send_message(results)

    assert second.candidates[0].finish_reason == types.FinishReason.STOP
    assert second.text
    sent = asked_of(relay, model)
    assert sent.index("No such sum.") < sent.index("seven")


def test_results_may_come_with_ids_in_any_order(client, model, relay):
    first = ask(client, model, TWO_CALLS, tools(ADD))
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"output": f"result of {call.args['a']}"}
            )
        )
        for call in reversed(first.function_calls)
    ]
    contents = [
        types.UserContent(TWO_CALLS),
        first.candidates[0].content,
        types.UserContent(results),
    ]
    ask(client, model, contents, tools(ADD))

    sent = asked_of(relay, model)
    assert "result of 1" in sent
    assert "result of 3" in sent


def test_functions_of_python_are_called_by_the_sdk_itself(client, model):
    asked = []

    def add(a: int, b: int) -> str:
        """Add two numbers."""
        asked.append((a, b))
        return f"{a + b}"

    answer = ask(
        client, model, '[[call add {"a":20,"b":22}]] [[then]] [[say Done.]]', config(tools=[add])
    )

    assert asked == [(20, 22)]
    assert answer.text == "Done."


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        ({"mode": "ANY"}, True),
        ({"mode": "ANY", "allowed_function_names": ["add"]}, True),
        ({"mode": "NONE"}, False),
    ],
)
def test_whether_tools_are_called_can_be_told(client, model, calling, called):
    given = tools(ADD, tool_config=types.ToolConfig(function_calling_config=calling))
    answer = ask(client, model, "Hi" if called else "[[say No.]]", given)
    assert [call.name for call in answer.function_calls or []] == (["add"] if called else [])


def test_only_an_allowed_function_is_called(client, model):
    other = types.FunctionDeclaration(name="subtract", parameters_json_schema={"type": "object"})
    calling = {"mode": "ANY", "allowed_function_names": ["subtract"]}
    given = tools(ADD, other, tool_config=types.ToolConfig(function_calling_config=calling))
    assert [call.name for call in ask(client, model, "Hi", given).function_calls] == ["subtract"]


def test_images_and_documents_reach_the_upstream(client, model, relay):
    parts = [
        "[[say Seen.]]",
        types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"),
        types.Part.from_bytes(data=b"%PDF-1.4 hardly one", mime_type="application/pdf"),
    ]
    assert ask(client, model, parts).text == "Seen."
    sent = asked_of(relay, model)
    assert PIXEL in sent
    assert base64.b64encode(b"%PDF-1.4 hardly one").decode() in sent


class Forecast(BaseModel):
    city: str
    days: list[int]


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "form",
    [{"response_schema": Forecast}, {"response_json_schema": SCHEMA}],
    ids=["the API's schema", "JSON schema"],
)
def test_structured_output_has_its_structure(client, model, form):
    given = config(response_mime_type="application/json", **form)
    answer = ask(client, model, "A forecast.", given)
    assert isinstance(Forecast.model_validate_json(answer.text), Forecast)
    if "response_schema" in form:
        assert isinstance(answer.parsed, Forecast)


def test_a_stop_sequence_ends_the_text(client, model):
    answer = ask(client, model, "[[say one two three]]", config(stop_sequences=["two"]))
    assert answer.text.strip() == "one"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP


def test_the_token_limit_is_kept_or_refused(client, model):
    given = config(max_output_tokens=2)
    if model == RESPONSES_UPSTREAM:
        with pytest.raises(Exception, match="maxOutputTokens"):
            ask(client, model, "[[say one two three]]", given)
        return
    answer = ask(client, model, "[[say one two three four]]", given)
    assert answer.text.strip() == "one two"
    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_a_refusal_is_one(client, model):
    answer = ask(client, model, "[[refuse I will not.]]")
    assert answer.text.startswith("I will not.")
    if model != GEMINI_UPSTREAM:  # where a refusal is a text like any other
        assert answer.candidates[0].finish_reason == types.FinishReason.SAFETY


def test_system_text_and_what_steers_reach_the_upstream_or_are_disclosed(client, model, relay):
    given = config(
        system_instruction=["Be brief.", "Be kind."],
        temperature=0.5,
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                threshold=types.HarmBlockThreshold.BLOCK_NONE,
            )
        ],
    )
    answer = ask(client, model, "Hi", given)

    sent = asked_of(relay, model)
    assert sent.index("Be brief.") < sent.index("Be kind.")
    ignored = headers_of(answer).get(IGNORED, "")
    assert ("safetySettings" in ignored) == (model != GEMINI_UPSTREAM)
    assert ("temperature" in sent) or ("generationConfig.temperature" in ignored)


def test_counts_are_told_in_this_dialects_arithmetic(client, model):
    """The second message finds the first one in the cache; cached tokens are of the prompt's."""
    contents = [
        types.UserContent("[[say One]]"),
        types.ModelContent("One"),
        types.UserContent("[[say Two]]"),
    ]
    counts = ask(client, model, contents).usage_metadata
    assert 0 < counts.cached_content_token_count < counts.prompt_token_count
    assert counts.candidates_token_count == 1


def test_thoughts_come_apart_from_what_is_said(client, model):
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
    prompt = "[[reason Let me think.]] [[say Done.]]"
    answer = ask(client, model, prompt, config(thinking_config=thinking))
    thoughts = [part.text for part in answer.candidates[0].content.parts if part.thought]

    assert "".join(thoughts) == "Let me think."
    assert answer.text == "Done."
    assert answer.usage_metadata.thoughts_token_count > 0


def test_it_works_without_blocking_too(connect, model):
    client = connect(version="v1beta")

    async def run():
        async with client.aio as asynchronous:
            models = asynchronous.models
            whole = await models.generate_content(model=model, contents="[[say Hi]]")
            stream = await models.generate_content_stream(
                model=model, contents="[[say one two three]]"
            )
            return whole.text, "".join([chunk.text or "" async for chunk in stream])

    assert asyncio.run(run()) == ("Hi", "one two three")


def test_models_are_listed_and_got(client, model):
    assert f"models/{model}" in [each.name for each in client.models.list()]
    assert client.models.get(model=model).name == f"models/{model}"


def test_tokens_are_counted(client, model):
    short = client.models.count_tokens(model=model, contents="Hello there")
    long = client.models.count_tokens(model=model, contents="Hello there " * 50)
    assert 0 < short.total_tokens < long.total_tokens


@pytest.mark.parametrize("model", ["gemini/gemini-embedding-001", CHAT_UPSTREAM])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_vectors_are_made(connect, model, version):
    one, other, again = (
        connect(version=version)
        .models.embed_content(
            model=model,
            contents=["a", "b", "a"],
            config=types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=4),
        )
        .embeddings
    )
    assert one.values == again.values != other.values
