"""What a Gemini upstream is sent for the neutral request."""

import pytest

from airelays_app.dialects import CHAT, GEMINI, MESSAGES, RESPONSES
from airelays_app.errors import Unprocessable
from airelays_app.neutral.capabilities import Capabilities
from airelays_app.neutral.request import (
    Audio,
    File,
    Hints,
    HostedTool,
    Image,
    Message,
    Opaque,
    OutputFormat,
    Reasoning,
    Request,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from airelays_app.neutral.seals import Seal

HI = Message("user", (Text("Hi"),))
ADD = ToolCall("call_1", "add", '{"a":1}')
NOW = ToolCall("call_2", "now", "")


def encoded(*messages, capabilities=None, **fields):
    request = Request("m", tuple(messages) or (HI,), **fields)
    body, losses = GEMINI.encode_request(request, *([capabilities] if capabilities else []))
    return body, {loss.path for loss in losses}


def contents(*messages):
    return encoded(*messages)[0]["contents"]


def test_the_model_and_the_stream_stand_in_the_path_not_in_the_body():
    body, _ = encoded(stream=True)
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_steering_text_is_the_system_instruction_and_later_a_reminder():
    body, _ = encoded(
        Message("developer", (Text("Be brief."),)),
        HI,
        Message("assistant", (Text("Ho"),)),
        Message("system", (Text("Now be long."),)),
        instructions="You are it.",
    )
    assert body["systemInstruction"] == {"parts": [{"text": "You are it."}, {"text": "Be brief."}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert "Now be long." in body["contents"][-1]["parts"][0]["text"]


def test_steering_text_alone_is_said_by_the_user():
    body, _ = encoded(Message("system", (Text("Say hi."),)))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}


def test_parallel_results_are_one_content_in_the_order_of_their_calls():
    said = contents(
        HI,
        Message("assistant", (Text("Both."), ADD, NOW)),
        Message("tool", (ToolResult("call_2", (Text("noon"),)),)),
        Message("tool", (ToolResult("call_1", (Text("three"),)),)),
        Message("user", (Text("And?"),)),
    )
    assert said[1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Both."},
                {"functionCall": {"id": "call_1", "name": "add", "args": {"a": 1}}},
                {"functionCall": {"id": "call_2", "name": "now", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "call_1",
                        "name": "add",
                        "response": {"output": "three"},
                    }
                },
                {
                    "functionResponse": {
                        "id": "call_2",
                        "name": "now",
                        "response": {"output": "noon"},
                    }
                },
                {"text": "And?"},
            ],
        },
    ]


def test_a_result_has_the_name_of_its_function_not_the_id_of_its_call():
    (result,) = contents(
        HI, Message("assistant", (ADD,)), Message("tool", (ToolResult("call_1", ()),))
    )[-1]["parts"]
    assert result["functionResponse"]["name"] == "add"


def test_an_id_that_google_never_gave_is_not_sent_back():
    call = ToolCall("gemini_call_abc_0", "add", "{}")
    said = contents(
        HI, Message("assistant", (call,)), Message("tool", (ToolResult(call.call_id, ()),))
    )
    assert "id" not in said[1]["parts"][0]["functionCall"]
    assert "id" not in said[2]["parts"][0]["functionResponse"]


def test_errors_and_images_in_results_are_not_lost():
    image = Image("data:image/png;base64,aGk=")
    result = ToolResult("call_1", (Text("broken"), image), is_error=True)
    parts = contents(HI, Message("assistant", (ADD,)), Message("tool", (result,)))[-1]["parts"]
    assert parts[0]["functionResponse"]["response"] == {"error": "broken"}
    assert parts[1] == {"inlineData": {"mimeType": "image/png", "data": "aGk="}}


def test_long_integers_in_a_result_stay_text():
    result = ToolResult("call_1", (Text('{"id":1234567890123456789}'),))
    parts = contents(HI, Message("assistant", (ADD,)), Message("tool", (result,)))[-1]["parts"]
    assert parts[0]["functionResponse"]["response"] == {"output": '{"id":1234567890123456789}'}


def test_a_result_whose_call_is_gone_is_told():
    (said,) = contents(Message("tool", (ToolResult("call_9", (Text("three"),)),)))
    assert [part["text"] for part in said["parts"]] == [
        "Result of the tool call call_9:",
        "three",
    ]


@pytest.mark.parametrize("arguments", ["not json", "[1]", '"text"'])
def test_arguments_that_are_no_object_are_not_lost(arguments):
    call = ToolCall("call_1", "add", arguments)
    args = contents(HI, Message("assistant", (call,)))[1]["parts"][0]["functionCall"]["args"]
    assert args.keys() == {"input"}


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (
            Image("data:image/png;base64,aGk="),
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        ),
        (
            Image("https://example.org/a.jpg?x=1"),
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.org/a.jpg?x=1"}},
        ),
        (
            File("a.txt", data="data:text/plain,a%20b"),
            {"inlineData": {"mimeType": "text/plain", "data": "YSBi"}},
        ),
        (
            File("a.pdf", url="https://example.org/x"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.org/x"}},
        ),
        (Audio("aGk=", "wav"), {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}),
        (Opaque("gemini", {"executableCode": {}}, "x"), {"executableCode": {}}),
    ],
)
def test_media_are_written_inline_or_by_their_address(part, written):
    (said,) = contents(Message("user", (part,)))
    assert said["parts"] == [written]


def test_a_document_that_is_no_url_is_refused_by_its_place():
    with pytest.raises(Unprocessable) as raised:
        contents(Message("user", (File("a", data="aGk=", path="input[0].content[1]"),)))
    assert raised.value.param == "input[0].content[1]"


def test_items_of_another_dialect_are_disclosed():
    _, lost = encoded(HI, Message("assistant", (Opaque("responses", {}, "input[1]"), Text("a"))))
    assert lost == {"input[1]"}


def test_functions_keep_their_json_schemas():
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}
    body, lost = encoded(
        tools=(
            Tool("add", "Adds.", schema),
            Tool("now"),
            HostedTool("gemini", {"googleSearch": {}}, "tools[1]"),
            HostedTool("responses", {"type": "web_search"}, "tools[2]"),
        )
    )
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "add", "description": "Adds.", "parametersJsonSchema": schema},
                {"name": "now"},
            ]
        },
        {"googleSearch": {}},
    ]
    assert lost == {"tools[2]"}


@pytest.mark.parametrize(
    ("choice", "config", "offered"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}, ["a", "b"]),
        (ToolChoice("none"), {"mode": "NONE"}, ["a", "b"]),
        (ToolChoice("required"), {"mode": "ANY"}, ["a", "b"]),
        (
            ToolChoice("named", ("b",)),
            {"mode": "ANY", "allowedFunctionNames": ["b"]},
            ["a", "b"],
        ),
        (ToolChoice("allowed", ("b",)), {"mode": "AUTO"}, ["b"]),
        (ToolChoice("allowed", ("b",), required=True), {"mode": "ANY"}, ["b"]),
    ],
)
def test_every_choice_has_its_mode(choice, config, offered):
    body, _ = encoded(tools=(Tool("a"), Tool("b")), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": config}
    assert [each["name"] for each in body["tools"][0]["functionDeclarations"]] == offered


def test_a_choice_without_functions_is_not_sent():
    assert "toolConfig" not in encoded(tool_choice=ToolChoice("auto"))[0]


def test_the_sampler_the_limits_and_the_format_are_written():
    body, lost = encoded(
        sampling=Sampling(0.5, 0.9, 40, 0.1, -0.1, 7, ("a", "b", "c", "d", "e", "f"), {"1": 2}),
        max_output_tokens=99,
        format=OutputFormat("json_schema", "x", {"type": "object"}),
        hints=Hints(service_tier="flex", user="me"),
    )
    assert body["generationConfig"] == {
        "maxOutputTokens": 99,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "presencePenalty": 0.1,
        "frequencyPenalty": -0.1,
        "seed": 7,
        "stopSequences": ["a", "b", "c", "d", "e"],
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }
    assert body["serviceTier"] == "flex"
    assert lost == {"logit_bias", "user"}
    assert GEMINI.unspeakable_stops(("a", "b", "c", "d", "e", "f")) == ("f",)


def test_any_json_object_is_a_format_without_a_schema():
    body, _ = encoded(format=OutputFormat("json_object"))
    assert body["generationConfig"] == {"responseMimeType": "application/json"}


BUDGET = Capabilities(reasoning="budget", budgets=(128, 32_768))


@pytest.mark.parametrize(
    ("capabilities", "asked", "thinking", "lost"),
    [
        (None, {}, None, set()),
        (None, {"reasoning_effort": "high"}, {"thinkingLevel": "HIGH"}, set()),
        (None, {"reasoning_effort": "xhigh"}, {"thinkingLevel": "HIGH"}, {"reasoning_effort"}),
        (None, {"reasoning_effort": "none"}, {"thinkingLevel": "MINIMAL"}, {"reasoning_effort"}),
        (None, {"reasoning_budget": 20_000}, {"thinkingLevel": "MEDIUM"}, set()),
        (None, {"reasoning_summary": "auto"}, {"includeThoughts": True}, set()),
        (BUDGET, {"reasoning_budget": 5000}, {"thinkingBudget": 5000}, set()),
        (BUDGET, {"reasoning_budget": 99_999}, {"thinkingBudget": 32_768}, set()),
        (BUDGET, {"reasoning_effort": "low"}, {"thinkingBudget": 4096}, set()),
        (BUDGET, {"reasoning_effort": "none"}, {"thinkingBudget": 128}, {"reasoning_effort"}),
        (Capabilities(reasoning="none"), {"reasoning_effort": "low"}, None, {"reasoning_effort"}),
    ],
)
def test_thought_is_asked_for_as_the_model_measures_it(capabilities, asked, thinking, lost):
    body, found = encoded(capabilities=capabilities, **asked)
    assert body.get("generationConfig", {}).get("thinkingConfig") == thinking
    assert found == lost


def test_a_model_that_checks_calls_is_told_which_it_did_not_make():
    """Only the first call of a step is checked."""
    body, _ = encoded(
        HI,
        Message("assistant", (ADD, NOW)),
        Message("tool", (ToolResult("call_1", ()), ToolResult("call_2", ()))),
        capabilities=Capabilities(seals_calls=True),
    )
    first, second = body["contents"][1]["parts"]
    assert first["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in second


def test_the_text_of_a_thought_is_not_missed_where_its_seal_is():
    """The seal holds the thought; what is shown of it is a summary."""
    sealed = Reasoning("", Seal("gemini", "Eo8B", "call_1", form="call"))
    thought = Message("assistant", (Reasoning("Hm."), Text("I look."), sealed, ADD))
    body, lost = encoded(HI, thought, Message("tool", (ToolResult("call_1", ()),)))
    assert [part.keys() for part in body["contents"][1]["parts"]] == [
        {"text"},
        {"functionCall", "thoughtSignature"},
    ]
    assert not lost

    _, lost = encoded(HI, Message("assistant", (Reasoning("Hm."), Text("Yes."))), HI)
    assert lost == {"reasoning"}


def test_what_has_no_place_here_is_disclosed():
    hints = Hints(
        safety_identifier="s",
        metadata={"a": 1},
        prompt_cache_key="k",
        prompt_cache_retention="24h",
        include=("a",),
        cache={"type": "ephemeral"},
    )
    _, lost = encoded(hints=hints, verbosity="low", parallel_tool_calls=False, tools=(Tool("a"),))
    assert lost == {
        "safety_identifier",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "include",
        "cache_control",
        "verbosity",
        "parallel_tool_calls",
    }


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (CHAT, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}),
        (RESPONSES, {"model": "m", "input": "Hi"}),
        (
            MESSAGES,
            {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
        ),
    ],
)
def test_the_plainest_request_of_every_client_loses_nothing(source, body):
    request, losses = source.decode_request(body)
    written, further = GEMINI.encode_request(request)
    assert written["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert not (*losses, *further)
