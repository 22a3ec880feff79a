"""The stand-in for Google's API is what google-genai expects, and as strict as the real one.

Signatures come back unaltered or not at all, calls are answered in the turn after them, a quota
that is used up says so in the error's details, and a stream is nothing but data.
"""

import json
from collections.abc import Iterator

import pytest
import requests
from google import genai
from google.genai import errors, types

FLASH, OLD, CHECKED = "gemini-2.5-flash", "gemma-3-27b-it", "gemini-3.5-flash"
ADD = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="add",
            parameters_json_schema={
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            },
        )
    ]
)
CALL = '[[call add {"a": 1, "b": 2}]]'


@pytest.fixture
def sdk(sandbox) -> Iterator[genai.Client]:
    options = types.HttpOptions(
        base_url=sandbox.gemini_url.removesuffix("/v1beta"), api_version="v1beta"
    )
    with genai.Client(api_key=sandbox.gemini_key, http_options=options) as client:
        yield client


def said(text, role="user"):
    return {"role": role, "parts": [{"text": text}]}


def post(sandbox, verb, body, model=FLASH, **options):
    options.setdefault("headers", {"x-goog-api-key": sandbox.gemini_key})
    url = f"{sandbox.gemini_url}/models/{model}:{verb}"
    return requests.post(url, json=body, timeout=60, **options)


def refused(sandbox, body, model=FLASH):
    answer = post(sandbox, "generateContent", body, model)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]["message"]


def test_the_sdk_asks_and_streams(sdk):
    whole = sdk.models.generate_content(model=FLASH, contents="[[say ça va ✓]]")
    assert whole.text == "ça va ✓"
    assert whole.candidates[0].finish_reason == types.FinishReason.STOP
    assert whole.usage_metadata.total_token_count > 0

    chunks = list(sdk.models.generate_content_stream(model=FLASH, contents="[[say one two]]"))
    assert "".join(chunk.text or "" for chunk in chunks) == "one two"
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_the_sdk_lists_models_and_counts(sdk):
    assert f"models/{FLASH}" in [model.name for model in sdk.models.list()]
    assert sdk.models.count_tokens(model=FLASH, contents="Hello there").total_tokens > 0


def test_the_sdk_embeds(sdk):
    one, other, again = sdk.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b", "a"]
    ).embeddings
    assert one.values == again.values != other.values


def test_the_sdk_brings_the_signature_of_a_call_back(sdk):
    config = types.GenerateContentConfig(tools=[ADD], automatic_function_calling={"disable": True})
    chat = sdk.chats.create(model=CHECKED, config=config)
    first = chat.send_message(f"{CALL} [[then]] [[say three]]")
    (call,) = first.function_calls
    assert (call.name, call.args) == ("add", {"a": 1, "b": 2})

    result = types.Part.from_function_response(name="add", response={"output": "3"})
    assert chat.send_message(result).text == "three"


def test_thoughts_are_shown_when_asked_for_and_counted(sdk):
    thinking = types.ThinkingConfig(include_thoughts=True)
    config = types.GenerateContentConfig(thinking_config=thinking)
    answer = sdk.models.generate_content(
        model=FLASH, contents="[[reason Hm so]] [[say Hi]]", config=config
    )
    thought, text = answer.candidates[0].content.parts
    assert (thought.thought, thought.text) == (True, "Hm so")
    assert text.thought_signature
    assert answer.usage_metadata.thoughts_token_count == 2
    plain = sdk.models.generate_content(model=FLASH, contents="[[reason Hm]] [[say Hi]]")
    assert len(plain.candidates[0].content.parts) == 1


def test_a_stream_is_nothing_but_data_with_crlf(sandbox):
    body = {"contents": [said("[[say one two]]")]}
    wire = post(sandbox, "streamGenerateContent?alt=sse", body).content
    blocks = wire.split(b"\r\n\r\n")
    assert blocks.pop() == b""
    assert all(block.startswith(b"data: {") for block in blocks)
    assert b"[DONE]" not in wire


@pytest.mark.parametrize("spoil", [lambda s: s[:-8] + "AAAA" + s[-4:], lambda s: "Eo8BCowB"])
def test_an_altered_or_foreign_signature_is_refused(sandbox, spoil):
    first = post(sandbox, "generateContent", {"contents": [said("[[reason Hm]] [[say Hi]]")]})
    content = first.json()["candidates"][0]["content"]
    again = {"contents": [said("Hi"), content, said("[[say On]]")]}
    assert post(sandbox, "generateContent", again).status_code == 200

    (part,) = [part for part in content["parts"] if "thoughtSignature" in part]
    part["thoughtSignature"] = spoil(part["thoughtSignature"])
    assert refused(sandbox, again) == "Thought signature is not valid."


def called(**more):
    call = {"functionCall": {"name": "add", "args": {}}, **more}
    result = {"functionResponse": {"name": "add", "response": {}}}
    return {
        "contents": [
            said("Go"),
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [result]},
        ]
    }


def test_a_model_that_checks_calls_wants_a_signature_or_the_stand_in(sandbox):
    assert "missing a thought_signature" in refused(sandbox, called(), CHECKED)
    stand_in = called(thoughtSignature="skip_thought_signature_validator")
    assert post(sandbox, "generateContent", stand_in, CHECKED).status_code == 200
    assert post(sandbox, "generateContent", called()).status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
        ({"contents": [said("Hi", "assistant")]}, "valid role"),
        ({"contents": [said("Hi")], "model_name": "x"}, "Unknown name"),
        ({"contents": [said("Hi")], "generationConfig": {"n": 1}}, "Unknown name"),
        ({"contents": called()["contents"][:2]}, "number of function response parts"),
        ({"contents": called()["contents"][2:]}, "immediately after a function call turn"),
        ({"contents": [said("Hi")], "generationConfig": {"temperature": 3}}, "temperature"),
        (
            {
                "contents": [said("Hi")],
                "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}},
            },
            "not supported for this model",
        ),
        (
            {
                "contents": [said("Hi")],
                "generationConfig": {"thinkingConfig": {"thinkingBudget": 99_999}},
            },
            "is invalid",
        ),
    ],
)
def test_what_google_refuses_is_refused(sandbox, body, words):
    assert words in refused(sandbox, body)


def test_both_spellings_are_read(sandbox):
    body = {
        "contents": [said("[[say one two three]]")],
        "generation_config": {"max_output_tokens": 2},
    }
    answer = post(sandbox, "generateContent", body).json()["candidates"][0]
    assert answer["finishReason"] == "MAX_TOKENS"
    assert answer["content"]["parts"][-1]["text"] == "one two"


def test_a_model_without_thought_refuses_to(sandbox):
    body = {"contents": [said("Hi")], "generationConfig": {"thinkingConfig": {"thinkingBudget": 1}}}
    assert "not enabled" in refused(sandbox, body, OLD)


def test_a_quota_that_is_used_up_says_in_the_details_when_to_come_again(sandbox, sdk):
    sandbox.script("limit", resets_in_seconds=34)
    with pytest.raises(errors.ClientError) as raised:
        sdk.models.generate_content(model=FLASH, contents="Hi")
    assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
    details = {each["@type"]: each for each in raised.value.details["error"]["details"]}
    assert details["type.googleapis.com/google.rpc.RetryInfo"]["retryDelay"] == "34s"


def test_a_blocked_prompt_has_feedback_and_no_candidate(sandbox, sdk):
    answer = sdk.models.generate_content(model=FLASH, contents="[[behave blocked]]")
    assert answer.candidates is None
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [({}, 403, "unregistered callers"), ({"x-goog-api-key": "AIza"}, 400, "API key not valid")],
)
def test_nobody_is_served_without_the_key(sandbox, headers, status, words):
    answer = post(sandbox, "generateContent", {"contents": [said("Hi")]}, headers=headers)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_an_unknown_model_is_not_found(sandbox):
    answer = post(sandbox, "generateContent", {"contents": [said("Hi")]}, "gemini-0")
    assert answer.status_code == 404
    assert "models/gemini-0 is not found" in answer.json()["error"]["message"]


def test_a_failing_stream_ends_with_an_error(sandbox):
    body = {"contents": [said("[[behave failed 1]] [[say one two]]")]}
    wire = post(sandbox, "streamGenerateContent?alt=sse", body).content
    last = wire.split(b"\r\n\r\n")[-2].removeprefix(b"data: ")
    assert json.loads(last)["error"]["code"] == 503
