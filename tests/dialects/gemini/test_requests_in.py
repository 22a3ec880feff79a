"""What a Gemini client writes, as the neutral request reads it; both spellings of every name."""

import pytest

from airelays_app.dialects import GEMINI
from airelays_app.errors import BadRequest, Unprocessable
from airelays_app.neutral.request import (
    Audio,
    File,
    HostedTool,
    Image,
    Message,
    OutputFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

HI = {"role": "user", "parts": [{"text": "Hi"}]}


def decoded(*contents, **fields):
    body = {"contents": list(contents) or [HI], **fields}
    return GEMINI.decode_request(body)[0]


def configured(**config):
    return decoded(generationConfig=config)


def lost(**fields):
    return {loss.path for loss in GEMINI.decode_request({"contents": [HI], **fields})[1]}


def refused(*contents, **fields):
    with pytest.raises(Unprocessable) as raised:
        decoded(*contents, **fields)
    return raised.value.param


def model(*parts):
    return {"role": "model", "parts": list(parts)}


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def called(name="add", **more):
    return {"functionCall": {"name": name, "args": {"a": 1}, **more}}


def answered(response, name="add", **more):
    return {"functionResponse": {"name": name, "response": response, **more}}


def test_both_spellings_of_all_names_mean_the_same():
    camel = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            user({"text": "Look"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
            model({**called("look"), "thoughtSignature": "c2ln"}),
            user(answered({"output": "seen"}, "look")),
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "look", "parametersJsonSchema": {"type": "object"}},
                    {
                        "name": "see",
                        "parameters": {"type": "OBJECT", "properties": {"max_items": {}}},
                    },
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "generationConfig": {
            "maxOutputTokens": 9,
            "topP": 0.5,
            "topK": 40.0,
            "stopSequences": ["x"],
            "responseMimeType": "application/json",
            "responseSchema": {"anyOf": [{"type": "STRING"}]},
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 99},
        },
    }

    assert GEMINI.decode_request(in_snake_case(camel)) == GEMINI.decode_request(camel)


def in_snake_case(value):
    """Return the same with every name of the API in snake_case; what the client named stays."""
    if isinstance(value, list):
        return [in_snake_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name): in_snake_case(inner)
        for name, inner in value.items()
    }


def test_a_request_whose_names_are_usual_is_the_same_object():
    body = {"contents": [user({"text": "a_b"}, called())], "labels": {"my_label": "x"}}
    assert GEMINI.canonical(body) is body


def test_what_the_client_has_named_keeps_its_name():
    body = {
        "contents": [model({"function_call": {"name": "f", "args": {"mime_type": {"top_p": 1}}}})],
        "tools": [
            {
                "function_declarations": [
                    {
                        "name": "f",
                        "parameters": {"properties": {"mime_type": {"any_of": []}}},
                        "parameters_json_schema": {"properties": {"top_p": {"any_of": []}}},
                    }
                ]
            }
        ],
    }

    written = GEMINI.canonical(body)

    assert written["contents"][0]["parts"][0]["functionCall"]["args"] == {"mime_type": {"top_p": 1}}
    declaration = written["tools"][0]["functionDeclarations"][0]
    assert declaration["parameters"] == {"properties": {"mime_type": {"anyOf": []}}}
    assert declaration["parametersJsonSchema"] == {"properties": {"top_p": {"any_of": []}}}


def test_system_instruction_needs_no_role():
    request = decoded(systemInstruction={"role": "user", "parts": [{"text": "Be"}, {"text": "it"}]})
    assert request.messages[0] == Message("system", (Text("Be"), Text("it")))


@pytest.mark.parametrize("role", ["user", "function", "", None])
def test_all_roles_but_the_models_are_the_clients(role):
    assert decoded({"role": role, "parts": [{"text": "Hi"}]}).messages == (
        Message("user", (Text("Hi"),)),
    )


def test_an_unknown_role_is_refused_by_its_place():
    assert refused(HI, {"role": "assistant", "parts": []}) == "contents[1].role"


def test_the_pieces_of_a_stream_that_come_back_one_by_one_are_one_message():
    """google-genai 3.6 keeps each as a content of its own."""
    request = decoded(
        HI,
        model({"text": "Let me ", "thought": True}),
        model({"text": "think.", "thought": True}),
        model({"text": "One"}),
        model({"text": " "}),
        model({"text": "two"}, {"text": " three", "thoughtSignature": "Eo8BCow"}),
        model({"text": ""}),
        HI,
    )
    assert [message.role for message in request.messages] == ["user", "assistant", "user"]
    said = request.messages[1].parts
    assert said[0] == Text("One two")
    assert (said[1].text, said[1].seal.payload) == ("Let me think.", "Eo8BCow")
    assert said[2] == Text(" three")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (user(called()), "contents[0].parts[0].functionCall"),
        (model({"text": "a"}, answered({})), "contents[0].parts[1].functionResponse"),
        (
            user(answered({}, parts=[called()])),
            "contents[0].parts[0].functionResponse.parts[0].functionCall",
        ),
    ],
)
def test_each_side_has_its_own_kind_of_parts(content, path):
    """Only the model calls, and only the client answers."""
    assert refused(content) == path


PIXEL = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


@pytest.mark.parametrize("other", [PIXEL, called(), {"fileData": {"fileUri": "https://a.test/a"}}])
def test_a_part_that_is_two_things_is_refused(other):
    said = model({"text": "One of us"} | other)
    assert refused(said) == "contents[0].parts[0]"
    assert decoded(model({"text": ""} | other)).messages[0].parts


def test_whether_something_was_thought_is_a_boolean():
    part = {"text": "Let me think.", "thought": "true"}
    assert refused(model(part)) == "contents[0].parts[0].thought"


def test_what_steers_the_model_is_text():
    system = {"parts": [{"text": "Be brief."}, PIXEL]}
    assert refused(systemInstruction=system) == "systemInstruction.parts[1].inlineData"
    system["parts"][1] = {"text": "Be kind.", "mood": "good"}
    assert lost(systemInstruction=system) == {"systemInstruction.parts[1].mood"}


@pytest.mark.parametrize(
    "fields",
    [
        {"generationConfig": {}, "generation_config": {}},
        {"generationConfig": {"topK": 1, "top_k": 2}},
    ],
    ids=str,
)
def test_a_field_in_both_spellings_is_refused(fields):
    with pytest.raises(BadRequest) as raised:
        decoded(**fields)
    assert raised.value.param in ("generationConfig", "topK")


def test_media_become_what_they_are():
    def inline(kind, **more):
        return {"inlineData": {"mimeType": kind, "data": "_-8=", **more}}

    request = decoded(
        user(
            inline("image/png"),
            inline("audio/mpeg"),
            inline("application/pdf", displayName="a.pdf"),
            {"fileData": {"fileUri": "https://example.org/a.jpg", "mimeType": "image/jpeg"}},
            {"fileData": {"fileUri": "https://example.org/a.pdf"}},
        )
    )

    image, audio, document, linked, address = request.messages[0].parts
    assert image == Image("data:image/png;base64,/+8="), "data URLs have the usual alphabet"
    assert audio == Audio("/+8=", "mp3", "contents[0].parts[1].inlineData")
    assert (document.filename, document.data) == ("a.pdf", "data:application/pdf;base64,/+8=")
    assert linked == Image("https://example.org/a.jpg")
    assert isinstance(address, File)
    assert address.url == "https://example.org/a.pdf"


@pytest.mark.parametrize(
    "uri",
    [
        "gs://bucket/a.pdf",
        "files/abc",
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "http://[",
    ],
)
def test_a_file_that_nobody_but_google_can_read_is_refused_by_its_place(uri):
    assert refused(user({"fileData": {"fileUri": uri}})) == "contents[0].parts[0].fileData.fileUri"


def ids(request):
    calls = [p.call_id for m in request.messages for p in m.parts if isinstance(p, ToolCall)]
    results = [p.call_id for m in request.messages for p in m.parts if isinstance(p, ToolResult)]
    return calls, results


def test_results_without_ids_answer_by_name_and_order():
    calls, results = ids(
        decoded(
            HI,
            model(called("add"), called("now"), called("add")),
            user(answered({}, "now"), answered({}, "add"), answered({}, "add")),
            model(called("add")),
            user(answered({}, "add")),
        )
    )
    assert len(set(calls)) == 4
    assert results == [calls[1], calls[0], calls[2], calls[3]]


def test_results_with_ids_answer_by_id():
    calls, results = ids(
        decoded(
            HI,
            model(called(id="one"), called(id="two")),
            user(answered({}, id="two"), answered({}, id="one")),
        )
    )
    assert calls == ["one", "two"]
    assert results == ["two", "one"]


def test_an_id_that_only_the_result_has_says_nothing():
    """Gemini CLI 0.61 makes one up for a call that had none."""
    calls, results = ids(decoded(HI, model(called()), user(answered({}, id="add_17_0"))))
    assert calls == results


def test_the_ids_of_earlier_turns_stay_as_the_conversation_grows():
    turns = [HI, model(called()), user(answered({})), model(called()), user(answered({}))]
    assert ids(decoded(*turns))[0][:1] == ids(decoded(*turns[:3]))[0]


@pytest.mark.parametrize(
    ("response", "told", "is_error"),
    [
        ({"output": "three"}, "three", False),
        ({"result": 3}, "3", False),
        ({"result": {"sum": 3}}, '{"sum":3}', False),
        ({"sum": 3, "output": "x"}, '{"sum":3,"output":"x"}', False),
        ({"error": "no such file"}, "no such file", True),
        ({"error": "partly", "output": "x"}, '{"error":"partly","output":"x"}', False),
    ],
)
def test_a_result_says_what_the_tool_gave(response, told, is_error):
    request = decoded(HI, model(called()), user(answered(response)))
    (result,) = request.messages[-1].parts
    assert (result.parts, result.is_error) == ((Text(told),), is_error)


def test_images_in_a_result_are_its_parts():
    image = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    request = decoded(HI, model(called()), user(answered({}, parts=[image])))
    assert request.messages[-1].parts[0].parts == (Image("data:image/png;base64,aGk="),)


def test_results_come_before_what_was_said_beside_them():
    request = decoded(HI, model(called()), user({"text": "And now?"}, answered({"output": "3"})))
    assert [message.role for message in request.messages[2:]] == ["tool", "user"]


def test_functions_have_json_schemas_whichever_way_they_are_described():
    api = {
        "type": "OBJECT",
        "properties": {
            "city": {"type": "STRING", "enum": ["a"], "nullable": True},
            "list": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "2"},
            "long": {"type": "STRING", "maxLength": "9" * 5000},
            "any": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}], "nullable": True},
        },
        "required": ["city"],
        "propertyOrdering": ["city"],
    }
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}

    request = decoded(
        tools=[
            {"functionDeclarations": [{"name": "old", "description": "D.", "parameters": api}]},
            {"functionDeclarations": [{"name": "new", "parametersJsonSchema": schema}]},
            {"functionDeclarations": [{"name": "bare"}]},
        ]
    )

    assert request.tools == (
        Tool(
            "old",
            "D.",
            {
                "type": "object",
                "properties": {
                    "city": {"type": ["string", "null"], "enum": ["a", None]},
                    "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
                    "long": {"type": "string", "maxLength": "9" * 5000},
                    "any": {
                        "anyOf": [
                            {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
                            {"type": "null"},
                        ]
                    },
                },
                "required": ["city"],
            },
        ),
        Tool("new", parameters=schema),
        Tool("bare"),
    )


def test_googles_own_tools_are_hosted_tools():
    request = decoded(tools=[{"googleSearch": {}, "functionDeclarations": [{"name": "f"}]}])
    assert request.tools == (
        Tool("f"),
        HostedTool("gemini", {"googleSearch": {}}, "tools[0].googleSearch"),
    )


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({"mode": "ANY"}, ToolChoice("required")),
        ({"mode": "NONE"}, ToolChoice("none")),
        ({"mode": "VALIDATED"}, ToolChoice("auto")),
        ({"mode": "ANY", "allowedFunctionNames": ["a"]}, ToolChoice("named", ("a",))),
        (
            {"mode": "ANY", "allowedFunctionNames": ["a", "b"]},
            ToolChoice("allowed", ("a", "b"), required=True),
        ),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["a"]}, ToolChoice("allowed", ("a",))),
        ({}, None),
        ({"mode": "MODE_UNSPECIFIED"}, None),
    ],
)
def test_every_mode_of_calling_has_its_choice(config, choice):
    assert decoded(toolConfig={"functionCallingConfig": config}).tool_choice == choice


def test_an_unknown_mode_is_refused_by_its_place():
    config = {"functionCallingConfig": {"mode": "SOMETIMES"}}
    assert refused(toolConfig=config) == "toolConfig.functionCallingConfig.mode"


def test_the_sampler_and_the_limits_are_read():
    request = configured(
        temperature=0.5,
        topP=0.9,
        topK=40.0,
        seed=7,
        presencePenalty=0.1,
        frequencyPenalty=-0.1,
        stopSequences=["a", "b"],
        maxOutputTokens=99,
    )
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.5, 0.9, 40)
    assert (sampling.seed, sampling.stop, request.max_output_tokens) == (7, ("a", "b"), 99)
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (0.1, -0.1)


@pytest.mark.parametrize(
    ("config", "format_"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, OutputFormat("json_object")),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}},
            OutputFormat("json_schema", "output", {"type": "array"}),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            OutputFormat("json_schema", "output", {"type": "object"}),
        ),
    ],
)
def test_every_format_is_read(config, format_):
    assert configured(**config).format == format_


@pytest.mark.parametrize(
    ("thinking", "effort", "budget", "shows", "seals"),
    [
        (None, None, None, None, False),
        ({"includeThoughts": True}, None, None, "auto", True),
        ({"thinkingBudget": 0}, "none", None, None, False),
        ({"thinkingBudget": -1}, None, None, None, True),
        ({"thinkingBudget": 8192, "includeThoughts": True}, None, 8192, "auto", True),
        ({"thinkingLevel": "LOW"}, "low", None, None, True),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, None, None, None, True),
    ],
)
def test_thought_is_measured_by_level_or_by_budget(thinking, effort, budget, shows, seals):
    request = configured(thinkingConfig=thinking)
    assert (request.reasoning_effort, request.reasoning_budget) == (effort, budget)
    assert (request.reasoning_summary, request.wants_seals) == (shows, seals)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
        (
            {"generationConfig": {"responseModalities": ["IMAGE"]}},
            "generationConfig.responseModalities",
        ),
        (
            {"generationConfig": {"responseMimeType": "text/x.enum"}},
            "generationConfig.responseMimeType",
        ),
        ({"generationConfig": {"maxOutputTokens": "9"}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"stopSequences": "x"}}, "generationConfig.stopSequences"),
        ({"generationConfig": []}, "generationConfig"),
        ({"tools": {}}, "tools"),
        ({"systemInstruction": "Be brief."}, "systemInstruction"),
    ],
)
def test_what_cannot_be_honoured_or_read_is_refused_by_its_place(fields, path):
    assert refused(**fields) == path


def test_what_asks_for_nothing_is_not_refused():
    assert configured(candidateCount=1, responseModalities=["TEXT"]).model == ""


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"safetySettings": [{"category": "X"}]}, "safetySettings"),
        ({"labels": {"a": "b"}}, "labels"),
        ({"generationConfig": {"responseLogprobs": True}}, "generationConfig.responseLogprobs"),
        ({"generationConfig": {"mediaResolution": "LOW"}}, "generationConfig.mediaResolution"),
        ({"generation_config": {"speech_config": {"x": 1}}}, "generationConfig.speechConfig"),
    ],
)
def test_what_has_no_place_elsewhere_is_disclosed(fields, path):
    assert path in lost(**fields)
