"""What an upstream that speaks Messages is sent for the neutral request."""

import base64
import re

import pytest

from airelays_app.dialects import CHAT, MESSAGES, RESPONSES
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
TOOL = Tool("add", "Add.", {"type": "object", "properties": {"a": {"type": "integer"}}})
THOUGHT = Reasoning("Hm.", Seal("messages", "signed", text="Hm."))
BUDGET = Capabilities(20_000, reasoning="budget")
NO_SAMPLING = Capabilities(20_000, samples=False)
MARK = {"type": "ephemeral", "ttl": "1h"}


def encoded(*messages, capabilities=None, **fields):
    request = Request("m", tuple(messages) or (HI,), **fields)
    body, losses = MESSAGES.encode_request(request, *([capabilities] if capabilities else []))
    return body, {loss.path for loss in losses}


def turns(*messages, **more):
    return encoded(*messages, **more)[0]["messages"]


def results(*ids):
    return Message("tool", tuple(ToolResult(id_, (Text(f"of {id_}"),)) for id_ in ids))


def calls(*parts):
    return Message("assistant", parts)


def test_a_limit_is_never_missing():
    assert encoded()[0]["max_tokens"] == 4096
    assert encoded(capabilities=BUDGET)[0]["max_tokens"] == 20_000
    assert encoded(capabilities=BUDGET, max_output_tokens=7)[0]["max_tokens"] == 7


def test_steering_text_is_the_system_text_and_later_a_reminder():
    body, _ = encoded(
        Message("developer", (Text("Be brief."),)),
        HI,
        Message("assistant", (Text("Ho"),)),
        Message("system", (Text("Now be long."),)),
        instructions="You are it.",
    )

    assert [block["text"] for block in body["system"]] == ["You are it.", "Be brief."]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert "Now be long." in body["messages"][-1]["content"][0]["text"]


def test_steering_text_alone_is_said_by_the_user():
    body, _ = encoded(Message("system", (Text("Say hi."),)))

    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Say hi."}]}]
    assert "system" not in body


def test_a_conversation_that_the_model_began_begins_with_the_user():
    said = turns(Message("assistant", (Text("Welcome!"),)), HI)

    assert [turn["role"] for turn in said] == ["user", "assistant", "user"]


def test_a_conversation_that_the_model_ended_ends_with_the_user():
    said = turns(HI, Message("assistant", (Text("So"),)))

    assert [turn["role"] for turn in said] == ["user", "assistant", "user"]


def test_parallel_results_are_one_turn_and_come_before_what_else_was_said():
    said = turns(
        HI,
        calls(ADD, NOW),
        results("call_2"),
        Message("user", (Text("And?"),)),
        results("call_1"),
    )

    assert [turn["role"] for turn in said] == ["user", "assistant", "user"]
    assert [block.get("tool_use_id") for block in said[2]["content"]] == ["call_2", "call_1", None]


def test_calls_in_a_row_are_one_turn():
    said = turns(HI, calls(THOUGHT), calls(ADD), calls(NOW), results("call_1"), results("call_2"))

    assert [block["type"] for block in said[1]["content"]] == ["thinking", "tool_use", "tool_use"]
    assert len(said) == 3


def test_a_result_whose_call_is_gone_is_told():
    """A result that answers no call of the turn before is refused upstream."""
    for before in ((), (calls(NOW), results("call_2"), Message("assistant", (Text("So."),)))):
        said = turns(HI, *before, results("call_1"))[-1]["content"]
        assert {block["type"] for block in said} == {"text"}
        assert [block["text"] for block in said][-2:] == [
            "Result of the tool call call_1:",
            "of call_1",
        ]


@pytest.mark.parametrize("arguments", ["not json", "[1]", '"text"'])
def test_arguments_that_are_no_object_are_not_lost(arguments):
    call = ToolCall("call_1", "add", arguments)
    (block,) = turns(HI, calls(call), results("call_1"))[1]["content"]

    assert block["input"].keys() == {"input"}


@pytest.mark.parametrize("call_id", ["functions.add:0", "a" * 65, "ü"])
def test_an_id_that_is_not_allowed_is_another_for_call_and_result_alike(call_id):
    said = turns(HI, calls(ToolCall(call_id, "add", "{}")), results(call_id))
    id_ = said[1]["content"][0]["id"]

    assert id_.isascii()
    assert len(id_) <= 64
    assert "." not in id_
    assert said[2]["content"][0]["tool_use_id"] == id_


def test_errors_and_images_in_results_are_not_lost():
    result = ToolResult(
        "call_1", (Text("See."), Image("data:image/png;base64,AAAA")), is_error=True
    )
    (block,) = turns(HI, calls(ADD), Message("tool", (result,)))[2]["content"]

    assert block["is_error"] is True
    assert [part["type"] for part in block["content"]] == ["text", "image"]


def data_url(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (
            Image("data:image/png;base64,AAAA"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
        ),
        (
            Image("https://x.example/a.png"),
            {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        ),
        (
            File("a.pdf", data_url("application/pdf", b"%PDF")),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                "title": "a.pdf",
            },
        ),
        (
            File("a.md", data_url("text/markdown", "# Größe".encode())),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "# Größe"},
                "title": "a.md",
            },
        ),
        (
            File(url="https://x.example/a.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}},
        ),
        (
            File("a.png", "data:image/png;base64,AAAA"),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_media_are_written_inline_or_by_their_address(part, written):
    assert turns(Message("user", (part,)))[0]["content"] == [written]


def test_sound_is_refused_by_its_place():
    path = "contents[0].parts[1].inlineData"
    with pytest.raises(Unprocessable, match="sound") as raised:
        encoded(Message("user", (Audio("AAAA", "wav", path),)))
    assert raised.value.param == path


@pytest.mark.parametrize("data", ["aGk=", "data:text/plain;base64,a"])
def test_a_document_that_cannot_be_read_is_refused_by_its_place(data):
    path = "messages[0].content[1].file"
    with pytest.raises(Unprocessable, match=re.escape(path)) as raised:
        encoded(Message("user", (File("a.txt", data, path=path),)))
    assert raised.value.param == path


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_blank_text_is_left_out(blank):
    said = turns(Message("user", (Text(blank), Text("Hi"))), Message("assistant", (Text(blank),)))

    assert said == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]


def test_thinking_goes_back_with_its_seal_only():
    redacted = Reasoning("", Seal("messages", "hidden", form="redacted_thinking"))
    foreign = Reasoning("Hm.", Seal("responses", "other"))
    body, losses = encoded(HI, calls(THOUGHT, redacted, foreign, Reasoning("Loud."), Text("So.")))

    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "signed"},
        {"type": "redacted_thinking", "data": "hidden"},
        {"type": "text", "text": "So."},
    ]
    assert losses == {"reasoning"}


def test_what_was_sealed_goes_back_even_if_the_client_has_shortened_it():
    cut = Reasoning("H", Seal("messages", "signed", text="Hm."))

    assert turns(HI, calls(cut))[1]["content"][0]["thinking"] == "Hm."


def test_blocks_of_its_own_come_back_and_those_of_others_are_disclosed():
    own = Opaque("messages", {"type": "server_tool_use", "id": "s"}, "messages[1].content[0]")
    other = Opaque("responses", {"type": "computer_call"}, "input[2]")
    body, losses = encoded(HI, calls(own, other))

    assert body["messages"][1]["content"] == [own.payload]
    assert losses == {"input[2]"}


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, None),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("named", ("add",)), None, {"type": "tool", "name": "add"}),
        (ToolChoice("allowed", ("add",)), None, {"type": "auto"}),
        (ToolChoice("allowed", ("add",), required=True), None, {"type": "any"}),
    ],
    ids=str,
)
def test_every_choice_has_its_word(choice, parallel, written):
    body, losses = encoded(
        tools=(TOOL, Tool("now")), tool_choice=choice, parallel_tool_calls=parallel
    )

    assert body.get("tool_choice") == written
    allowed = choice is not None and choice.mode == "allowed"
    assert [tool["name"] for tool in body["tools"]] == ["add"] if allowed else ["add", "now"]
    assert losses == set()


def test_a_choice_without_tools_is_not_sent():
    body, _ = encoded(tool_choice=ToolChoice("required"), parallel_tool_calls=False)

    assert "tool_choice" not in body


def test_tools_have_schemas_even_if_they_take_nothing():
    body, losses = encoded(
        tools=(TOOL, Tool("now", strict=True), HostedTool("responses", {"type": "x"}, "tools[2]"))
    )

    assert body["tools"] == [
        {"name": "add", "description": "Add.", "input_schema": TOOL.parameters},
        {
            "name": "now",
            "input_schema": {"type": "object", "properties": {}},
            "strict": True,
        },
    ]
    assert losses == {"tools[2]"}


@pytest.mark.parametrize(
    ("capabilities", "asked", "thinking", "effort", "lost"),
    [
        (None, {}, None, None, set()),
        (None, {"reasoning_effort": "high"}, {"type": "adaptive"}, "high", set()),
        (
            None,
            {"reasoning_effort": "high", "reasoning_summary": "auto"},
            {"type": "adaptive", "display": "summarized"},
            "high",
            set(),
        ),
        (
            Capabilities(efforts=("none", "low", "high")),
            {"reasoning_effort": "none"},
            {"type": "disabled"},
            None,
            set(),
        ),
        (None, {"reasoning_effort": "minimal"}, {"type": "adaptive"}, "low", {"reasoning_effort"}),
        (None, {"reasoning_budget": 15_000}, {"type": "adaptive"}, "medium", set()),
        (
            BUDGET,
            {"reasoning_budget": 15_000},
            {"type": "enabled", "budget_tokens": 15_000},
            None,
            set(),
        ),
        (
            BUDGET,
            {"reasoning_budget": 15_000, "max_output_tokens": 15_000},
            {"type": "enabled", "budget_tokens": 14_999},
            None,
            set(),
        ),
        (
            BUDGET,
            {"reasoning_effort": "high"},
            {"type": "enabled", "budget_tokens": 10_000},
            None,
            set(),
        ),
        (
            BUDGET,
            {"reasoning_effort": "high", "max_output_tokens": 1500},
            None,
            None,
            {"reasoning_effort"},
        ),
        (BUDGET, {"reasoning_effort": "none"}, {"type": "disabled"}, None, set()),
        (
            Capabilities(reasoning="none"),
            {"reasoning_effort": "high"},
            None,
            None,
            {"reasoning_effort"},
        ),
        (
            Capabilities(efforts=("low", "high")),
            {"reasoning_effort": "none"},
            {"type": "adaptive"},
            "low",
            {"reasoning_effort"},
        ),
    ],
    ids=str,
)
def test_thought_is_asked_for_as_the_model_measures_it(capabilities, asked, thinking, effort, lost):
    body, losses = encoded(capabilities=capabilities, **asked)

    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort
    assert losses == lost


@pytest.mark.parametrize("capabilities", [None, BUDGET], ids=["adaptive", "budget"])
@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", ("add",))])
def test_a_forced_call_is_made_without_thinking(capabilities, choice):
    body, losses = encoded(
        capabilities=capabilities, tools=(TOOL,), tool_choice=choice, reasoning_effort="high"
    )

    assert "thinking" not in body
    assert losses == {"reasoning_effort"}


def test_a_budget_is_refused_while_a_call_is_answered_that_came_without_thinking():
    """So it is in a conversation whose earlier turns were another model's."""
    told, asked = results("call_1"), {"capabilities": BUDGET, "reasoning_effort": "high"}

    body, losses = encoded(HI, calls(ADD), told, **asked)
    assert "thinking" not in body
    assert losses == {"reasoning_effort"}
    for history in ((HI, calls(THOUGHT, ADD), told), (HI, calls(Text("So.")), HI)):
        assert "thinking" in encoded(*history, **asked)[0]
    assert "thinking" in encoded(HI, calls(ADD), told, reasoning_effort="high")[0]


@pytest.mark.parametrize(
    ("capabilities", "sampling", "written", "lost"),
    [
        (None, {"temperature": 0.2}, {"temperature": 0.2}, set()),
        (None, {"temperature": 1.7}, {"temperature": 1}, {"temperature"}),
        (None, {"top_p": 0.9, "top_k": 5}, {"top_p": 0.9, "top_k": 5}, set()),
        (None, {"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2}, {"top_p"}),
        (None, {"temperature": 0.2, "top_p": 1}, {"temperature": 0.2}, set()),
        (NO_SAMPLING, {"temperature": 0.2, "top_k": 5}, {}, {"temperature", "top_k"}),
        (NO_SAMPLING, {"temperature": 1, "top_p": 1}, {}, set()),
        (None, {"seed": 1, "presence_penalty": 0.5}, {}, {"seed", "presence_penalty"}),
    ],
)
def test_the_sampler_is_set_as_far_as_the_model_has_one(capabilities, sampling, written, lost):
    body, losses = encoded(capabilities=capabilities, sampling=Sampling(**sampling))

    knobs = ("temperature", "top_p", "top_k", "seed", "presence_penalty")
    assert {name: body[name] for name in knobs if name in body} == written
    assert losses == lost


@pytest.mark.parametrize(
    ("sampling", "written"),
    [({"temperature": 0.2}, {}), ({"top_p": 0.96}, {"top_p": 0.96}), ({"top_p": 0.5}, {})],
    ids=str,
)
def test_a_model_that_thinks_chooses_its_words_itself(sampling, written):
    body, losses = encoded(reasoning_effort="high", sampling=Sampling(**sampling))

    assert {name: body[name] for name in ("temperature", "top_p") if name in body} == written
    assert bool(losses) == (not written)


def test_stops_are_sent_unless_they_are_blank():
    """Those the relay itself watches for."""
    stops = ("END", " ", "\n\n", "###")

    assert encoded(sampling=Sampling(stop=stops))[0]["stop_sequences"] == ["END", "###"]
    assert MESSAGES.unspeakable_stops(stops) == (" ", "\n\n")


def test_formats():
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    body, losses = encoded(
        format=OutputFormat("json_schema", "x", schema, strict=True), reasoning_effort="low"
    )

    assert body["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": schema},
    }
    assert losses == set()
    assert "output_config" not in encoded(format=OutputFormat("text"))[0]


def test_every_mark_for_the_cache_is_kept():
    body, losses = encoded(
        Message("system", (Text("Long.", cache=MARK),)),
        Message("user", (Text("Hi", cache=MARK), Image("https://x.example/a", cache=MARK))),
        calls(ToolCall("call_1", "add", "{}", cache=MARK)),
        Message("tool", (ToolResult("call_1", (Text("3"),), cache=MARK),)),
        tools=(Tool("add", cache=MARK),),
        hints=Hints(cache=MARK),
    )

    marked = [
        body,
        body["tools"][0],
        body["system"][0],
        *(block for turn in body["messages"] for block in turn["content"]),
    ]
    assert [holder["cache_control"] for holder in marked] == [MARK] * 7
    assert losses == set()


def test_no_mark_is_made_up():
    assert "cache_control" not in str(encoded(HI, calls(ADD), results("call_1"), tools=(TOOL,)))


def test_the_user_and_the_tier():
    body, losses = encoded(hints=Hints(user="me", service_tier="default"))
    assert (body["metadata"], body["service_tier"]) == ({"user_id": "me"}, "standard_only")
    assert losses == set()

    body, losses = encoded(
        hints=Hints(safety_identifier="me", service_tier="flex", prompt_cache_key="k"),
        verbosity="low",
    )
    assert body["metadata"] == {"user_id": "me"}
    assert losses == {"service_tier", "prompt_cache_key", "verbosity"}


PLAINEST = [
    (RESPONSES, {"input": "Hi"}),
    (RESPONSES, {"input": "Hi", "store": False, "include": ["reasoning.encrypted_content"]}),
    (CHAT, {"messages": [{"role": "user", "content": "Hi"}], "stream": True}),
    (CHAT, {"messages": [{"role": "user", "content": "Hi"}], "temperature": 1, "n": 1}),
]


@pytest.mark.parametrize(("source", "body"), PLAINEST)
def test_the_plainest_request_of_every_client_loses_nothing(source, body):
    request, losses = source.decode_request({"model": "m", **body})
    _, further = MESSAGES.encode_request(request)

    assert (*losses, *further) == ()


def test_a_request_of_its_own_dialect_comes_out_as_it_went_in():
    """What a conversation on this relay is continued with goes this way."""
    body = {
        "model": "m",
        "max_tokens": 500,
        "system": [{"type": "text", "text": "Be it.", "cache_control": MARK}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Go."}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "signed"},
                    {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"}],
            },
        ],
        "tools": [
            {"name": "add", "description": "Add.", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "stream": True,
        "output_config": {"effort": "high"},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "stop_sequences": ["END"],
        "metadata": {"user_id": "me"},
        "service_tier": "auto",
    }
    request, losses = MESSAGES.decode_request(body)
    written, further = MESSAGES.encode_request(request)

    assert written == body
    assert (*losses, *further) == ()
