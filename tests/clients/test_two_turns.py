"""What an upstream sealed comes back to it byte for byte, whichever dialect the client speaks.

Each SDK echoes the first turn the way its users do it. The sandbox refuses a seal that it did not
make and thinking whose text is not the one it sealed, so an answer to the second turn is proof. A
seal of another upstream is dropped and disclosed, never sent.
"""

import itertools

import pytest
from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import OpenAI

from airelays_app.sandbox import Sandbox
from tests.clients.tried import TRIED

SUBSCRIPTION = "gpt-5.5"
ADAPTIVE = "anthropic/claude-opus-4-8"
BUDGETED = "anthropic/claude-sonnet-4-5"
CHECKED = "gemini/gemini-3.5-flash"
UNCHECKED = "gemini/gemini-2.5-pro"
CHAT_SERVER = "box/sandbox-small"
WANTS_THOUGHT = "deepseek/sandbox-small"
NOT_CHECKED = "skip_thought_signature_validator"
SEALING = [SUBSCRIPTION, ADAPTIVE, BUDGETED, CHECKED, UNCHECKED]
UPSTREAM_PATHS = {
    SUBSCRIPTION: "/codex/responses",
    ADAPTIVE: "/anthropic/v1/messages",
    BUDGETED: "/anthropic/v1/messages",
    CHECKED: "/gemini/v1beta/models/gemini-3.5-flash:generateContent",
    UNCHECKED: "/gemini/v1beta/models/gemini-2.5-pro:generateContent",
    CHAT_SERVER: "/v1/chat/completions",
}
PROMPT = '[[reason Let me — think.]] [[say I look.]] [[call now {"zone":"UTC"}]] [[then]] [[say 3]]'
HIDDEN = "[[redact Not for you.]] [[say I look.]] [[call now {}]] [[then]] [[say 3]]"
PARAMETERS = {"type": "object", "properties": {"zone": {"type": "string"}}}


@pytest.fixture(scope="module")
def module_relay(start_relay):
    """Return a relay with an upstream of every dialect, and one that wants its thought back."""
    with Sandbox() as sandbox:
        yield start_relay(
            sandbox=sandbox,
            vendors=True,
            PROVIDERS_DEEPSEEK_BASE_URL=sandbox.compatible_url,
            PROVIDERS_DEEPSEEK_API_KEY=sandbox.compatible_key,
        )


class Responses:
    """The openai SDK's Responses."""

    def __init__(self, relay):
        self._client = OpenAI(base_url=relay.base_url, api_key=relay.token, max_retries=0)
        self._tool = {"type": "function", "name": "now", "parameters": PARAMETERS, "strict": False}
        self.items = []

    def first(self, model, prompt, *, streamed):
        self.items = [{"role": "user", "content": prompt}]
        response = self._ask(model, streamed=streamed)
        (call,) = [item for item in response.output if item.type == "function_call"]
        self.items += [item.to_dict() for item in response.output]
        self.items.append(
            {"type": "function_call_output", "call_id": call.call_id, "output": "noon"}
        )

    def second(self, model):
        raw = self._client.responses.with_raw_response.create(model=model, **self._asked())
        return raw.parse().output_text, raw.headers

    def _ask(self, model, *, streamed):
        if not streamed:
            return self._client.responses.create(model=model, **self._asked())
        events = list(self._client.responses.create(model=model, stream=True, **self._asked()))
        return events[-1].response

    def _asked(self):
        return {
            "input": self.items,
            "tools": [self._tool],
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "high", "summary": "auto"},
        }


class Chat:
    """The openai SDK's Chat Completions; it keeps the extension fields of a message."""

    def __init__(self, relay):
        self._client = OpenAI(base_url=relay.base_url, api_key=relay.token, max_retries=0)
        self._tool = {"type": "function", "function": {"name": "now", "parameters": PARAMETERS}}
        self.messages = []

    def first(self, model, prompt, *, streamed):
        self.messages = [{"role": "user", "content": prompt}]
        if streamed:
            with self._client.chat.completions.stream(model=model, **self._asked()) as stream:
                stream.until_done()
                completion = stream.get_final_completion()
        else:
            completion = self._client.chat.completions.create(model=model, **self._asked())
        message = completion.choices[0].message
        (call,) = message.tool_calls
        self.messages.append(message.to_dict())
        self.messages.append({"role": "tool", "tool_call_id": call.id, "content": "noon"})

    def second(self, model):
        raw = self._client.chat.completions.with_raw_response.create(model=model, **self._asked())
        return raw.parse().choices[0].message.content, raw.headers

    def _asked(self):
        return {"messages": self.messages, "tools": [self._tool], "reasoning_effort": "high"}


class Messages:
    """The anthropic SDK's Messages."""

    def __init__(self, relay):
        self._client = Anthropic(base_url=relay.url, api_key=relay.token, max_retries=0)
        self.messages = []

    def first(self, model, prompt, *, streamed):
        self.messages = [{"role": "user", "content": prompt}]
        if streamed:
            with self._client.messages.stream(model=model, **self._asked(model)) as stream:
                message = stream.get_final_message()
        else:
            message = self._client.messages.create(model=model, **self._asked(model))
        (call,) = [block for block in message.content if block.type == "tool_use"]
        self.messages.append({"role": "assistant", "content": message.content})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "noon"}
        self.messages.append({"role": "user", "content": [result]})

    def second(self, model):
        raw = self._client.messages.with_raw_response.create(model=model, **self._asked(model))
        message = raw.parse()
        return "".join(b.text for b in message.content if b.type == "text"), raw.headers

    def _asked(self, model):
        budget = {"type": "enabled", "budget_tokens": 2000}
        return {
            "messages": self.messages,
            "max_tokens": 4000,
            "tools": [{"name": "now", "input_schema": PARAMETERS}],
            "thinking": budget if model == BUDGETED else {"type": "adaptive"},
        }


class Gemini:
    """The google-genai SDK's chats."""

    def __init__(self, relay):
        options = types.HttpOptions(base_url=relay.url, api_version="v1beta")
        self._client = genai.Client(api_key=relay.token, http_options=options)
        self._history = []

    def first(self, model, prompt, *, streamed):
        chat = self._client.chats.create(model=model, config=self._config())
        answers = chat.send_message_stream(prompt) if streamed else [chat.send_message(prompt)]
        (call,) = [call for answer in answers for call in answer.function_calls or []]
        result = types.FunctionResponse(name=call.name, id=call.id, response={"output": "noon"})
        self._history = [
            *chat.get_history(),
            types.UserContent(types.Part(function_response=result)),
        ]

    def second(self, model):
        answer = self._client.models.generate_content(
            model=model, contents=self._history, config=self._config()
        )
        return answer.text, answer.sdk_http_response.headers

    def _config(self):
        now = types.FunctionDeclaration(name="now", parameters_json_schema=PARAMETERS)
        return types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[now])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            thinking_config=types.ThinkingConfig(include_thoughts=True),
        )


CLIENTS = [Responses, Chat, Messages, Gemini]
SDKS = {
    Responses: "openai-python",
    Chat: "openai-python",
    Messages: "anthropic-sdk",
    Gemini: "google-genai",
}
TURNS = [
    pytest.param(client, upstream, id=f"{client.__name__} - {upstream.name}")
    for client, sdk in SDKS.items()
    for upstream in TRIED[sdk].upstreams
]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def client(request, relay):
    return request.param(relay)


def sealed(relay, model):
    """Return the seals in the last request to the model's upstream."""
    body = relay.asked(UPSTREAM_PATHS[model])
    if model == SUBSCRIPTION:
        items = (item.get("encrypted_content") for item in body["input"])
        return [seal for seal in items if seal]
    if model in (CHECKED, UNCHECKED):
        parts = itertools.chain.from_iterable(content["parts"] for content in body["contents"])
        signatures = (part.get("thoughtSignature") for part in parts)
        return [seal for seal in signatures if seal and seal != NOT_CHECKED]
    contents = (m["content"] for m in body["messages"] if isinstance(m["content"], list))
    blocks = itertools.chain.from_iterable(contents)
    return [s for block in blocks if (s := block.get("signature") or block.get("data"))]


@pytest.mark.parametrize(("make", "upstream"), TURNS)
def test_the_result_of_a_call_is_answered(relay, make, upstream):
    client = make(relay)
    client.first(upstream.model, PROMPT, streamed=True)

    assert client.second(upstream.model)[0] == "3"
    assert b"noon" in upstream.among(relay.sandbox.requests)[-1].body


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", SEALING)
def test_the_seal_comes_back(relay, client, model, streamed):
    client.first(model, PROMPT, streamed=streamed)
    text, headers = client.second(model)

    assert text == "3"
    assert len(sealed(relay, model)) == 1
    assert "reasoning" not in headers.get("x-airelays-ignored-parameters", "")


@pytest.mark.parametrize("model", [ADAPTIVE, BUDGETED])
def test_what_may_not_be_shown_comes_back_too(relay, client, model):
    client.first(model, HIDDEN, streamed=True)

    assert client.second(model)[0] == "3"
    assert len(sealed(relay, model)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SUBSCRIPTION, ADAPTIVE),
        (ADAPTIVE, SUBSCRIPTION),
        (ADAPTIVE, CHAT_SERVER),
        (SUBSCRIPTION, CHECKED),
        (ADAPTIVE, UNCHECKED),
        (CHECKED, SUBSCRIPTION),
        (UNCHECKED, ADAPTIVE),
    ],
)
def test_a_foreign_seal_is_dropped_and_disclosed(relay, client, before, after):
    """In each client's own dialect too, where the bytes would otherwise pass as they are."""
    client.first(before, PROMPT, streamed=False)
    text, headers = client.second(after)

    assert text == "3"
    assert sealed(relay, after) == []
    assert "reasoning" in headers["x-airelays-ignored-parameters"]


@pytest.mark.parametrize("before", [CHAT_SERVER, SUBSCRIPTION, UNCHECKED])
def test_a_model_that_checks_calls_goes_on_with_those_of_another(client, before):
    """It refuses a call without a signature, and takes one that says that the call is not its."""
    client.first(before, "[[call now {}]] [[then]] [[say 3]]", streamed=True)

    assert client.second(CHECKED)[0] == "3"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_vendor_that_wants_its_own_thought_back_gets_it(relay, client, streamed):
    """DeepSeek has no seals, and refuses an answer of its own without the thought before it."""
    client.first(WANTS_THOUGHT, PROMPT, streamed=streamed)

    assert client.second(WANTS_THOUGHT)[0] == "3"
    messages = relay.asked(UPSTREAM_PATHS[CHAT_SERVER])["messages"]
    thoughts = [each["reasoning_content"] for each in messages if each["role"] == "assistant"]
    assert thoughts == ["Let me \u2014 think."]
