"""What upstreams of other dialects are asked for a client of Messages."""

import pytest

from airelays_app.dialects import MESSAGES
from airelays_app.dialects.chat import CHAT
from airelays_app.dialects.responses import RESPONSES
from airelays_app.errors import Unprocessable

PNG = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
}
PNG_URL = "data:image/png;base64,AAAA"
LOOK = {"name": "look", "description": "Look.", "input_schema": {"type": "object"}}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CALLS = [
    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"x": [1, "ü"]}},
    {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
]


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def text(words):
    return {"type": "text", "text": words}


def result(call_id, content, **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def asked(dialect, *messages, **fields):
    """Return the body for the upstream and the paths that are disclosed."""
    body = {"model": "m", "max_tokens": 100, "messages": list(messages) or [user("Hi")], **fields}
    request, losses = MESSAGES.decode_request(body)
    encoded, further = dialect.encode_request(request)
    return encoded, {loss.path for loss in (*losses, *further)}


def items(*messages):
    return asked(RESPONSES, *messages)[0]["input"]


def turns(*messages):
    return asked(CHAT, *messages)[0]["messages"]


def test_the_plainest_request_loses_nothing():
    for dialect in (RESPONSES, CHAT):
        assert asked(dialect)[1] == set()


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("Be brief.", "Be brief."),
        ([text("Be brief."), text("Be kind.")], "Be brief.\nBe kind."),
        ([text("x-anthropic-billing-header: cc_version=2.1; cch=9;"), text("Be it.")], "Be it."),
        ([], None),
        (None, None),
    ],
)
def test_system_text_leads_the_conversation(system, told):
    assert asked(RESPONSES, system=system)[0].get("instructions") == told
    (*steering, said) = asked(CHAT, system=system)[0]["messages"]
    assert steering == ([{"role": "system", "content": told}] if told else [])
    assert said == {"role": "user", "content": "Hi"}


def test_steering_within_the_conversation_stays_where_it_stands():
    said = user("Go."), {"role": "system", "content": "From now on in French."}, assistant("Oui.")

    assert [item["role"] for item in items(*said)] == ["user", "developer", "assistant"]
    assert turns(*said)[1]["role"] == "user"
    assert "From now on in French." in turns(*said)[1]["content"]


def test_blocks_of_text_stay_apart_and_get_no_line_breaks():
    said = user([text("One "), text("two")])

    parts = items(said)[0]["content"]
    assert [part["text"] for part in parts] == ["One ", "two"]
    content = turns(said)[0]["content"]
    assert "".join(part["text"] for part in content) == "One two"


def test_parallel_calls_and_their_results():
    said = (
        user("Go."),
        assistant([text("Both."), *CALLS]),
        user([result("toolu_2", "noon"), result("toolu_1", [text("a"), text("b")]), text("And?")]),
    )

    assert [(i["type"], i.get("call_id")) for i in items(*said)] == [
        ("message", None),
        ("message", None),
        ("function_call", "toolu_1"),
        ("function_call", "toolu_2"),
        ("function_call_output", "toolu_2"),
        ("function_call_output", "toolu_1"),
        ("message", None),
    ]
    assert items(*said)[2]["arguments"] == '{"x":[1,"ü"]}'
    calling, *results, last = turns(*said)[1:]
    assert [call["id"] for call in calling["tool_calls"]] == ["toolu_1", "toolu_2"]
    assert [(turn["role"], turn["tool_call_id"]) for turn in results] == [
        ("tool", "toolu_2"),
        ("tool", "toolu_1"),
    ]
    assert last == {"role": "user", "content": "And?"}


def test_a_result_that_is_an_error_says_so():
    said = user("Go."), assistant(CALLS), user([result("toolu_1", "no such file", is_error=True)])

    assert items(*said)[-1]["output"] == "Error: no such file"
    assert turns(*said)[-1]["content"] == "Error: no such file"


def test_an_image_in_a_result_is_not_lost():
    said = user("Go."), assistant(CALLS), user([result("toolu_1", [text("See."), PNG])])

    assert items(*said)[-1]["output"][1]["image_url"] == PNG_URL
    assert turns(*said)[-1]["content"][0]["image_url"]["url"] == PNG_URL


def test_a_tool_that_a_search_has_found_is_told_of():
    found = [{"type": "tool_reference", "tool_name": "paint"}]
    said = user("Go."), assistant(CALLS), user([result("toolu_1", found)])

    assert "paint" in str(items(*said)[-1]["output"])
    assert "paint" in turns(*said)[-1]["content"]


def test_images_and_documents():
    said = user(
        [
            PNG,
            {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            },
            {
                "type": "document",
                "title": "b",
                "source": {"type": "text", "media_type": "text/plain", "data": "Words."},
            },
            {"type": "document", "source": {"type": "content", "content": [text("Pieces."), PNG]}},
            {
                "type": "search_result",
                "title": "Found",
                "source": "https://x.example",
                "content": [text("This.")],
            },
        ]
    )

    parts = items(said)[0]["content"]
    assert [part["image_url"] for part in parts if part["type"] == "input_image"] == [
        PNG_URL,
        "https://x.example/a.png",
        PNG_URL,
    ]
    (document,) = (part for part in parts if part["type"] == "input_file")
    assert document["file_data"] == "data:application/pdf;base64,JVBE"
    words = " ".join(part.get("text", "") for part in parts)
    for said_there in ("Document b:\nWords.", "Pieces.", "Found (https://x.example)", "This."):
        assert said_there in words


def test_an_address_that_the_upstream_does_not_read_is_refused_by_its_place():
    far = {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}

    assert items(user([far]))[0]["content"][0]["file_url"] == "https://x.example/a.pdf"
    with pytest.raises(Unprocessable) as caught:
        turns(user([text("This:"), far]))
    assert caught.value.param == "messages[0].content[1]"


@pytest.mark.parametrize(
    ("choice", "responses", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any"}, "required", None),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "look"}, {"type": "function", "name": "look"}, None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", True),
    ],
)
def test_every_choice_has_its_word(choice, responses, parallel):
    body, losses = asked(RESPONSES, tools=[LOOK], tool_choice=choice)

    assert body["tool_choice"] == responses
    assert body.get("parallel_tool_calls") == parallel
    assert losses == set()


def test_tools_keep_their_schemas_and_strictness():
    strict = {**LOOK, "name": "strict", "strict": True, "type": "custom", "input_schema": CLOSED}
    body, losses = asked(CHAT, tools=[LOOK, strict])

    assert [tool["function"] for tool in body["tools"]] == [
        {"name": "look", "description": "Look.", "parameters": {"type": "object"}},
        {"name": "strict", "description": "Look.", "parameters": CLOSED, "strict": True},
    ]
    assert losses == set()


@pytest.mark.parametrize("dialect", [RESPONSES, CHAT], ids=["responses", "chat"])
def test_what_only_the_vendor_can_run_is_disclosed(dialect):
    server = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    body, losses = asked(dialect, tools=[LOOK, server])

    assert len(body["tools"]) == 1
    assert losses == {"tools[1]"}


@pytest.mark.parametrize("dialect", [RESPONSES, CHAT], ids=["responses", "chat"])
def test_what_the_vendors_tools_have_said_is_disclosed(dialect):
    searched = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "text", "text": "Found.", "citations": [{"type": "char_location"}]},
    ]
    body, losses = asked(dialect, user("Go."), assistant(searched), user("Thanks."))

    assert "Found." in str(body)
    assert losses == {"messages[1].content[0]", "messages[1].content[1]"}


@pytest.mark.parametrize(
    ("thinking", "config", "effort"),
    [
        ({"type": "adaptive"}, {"effort": "high"}, "high"),
        ({"type": "adaptive"}, {"effort": "max"}, "max"),
        ({"type": "enabled", "budget_tokens": 1024}, {}, "low"),
        ({"type": "enabled", "budget_tokens": 15_000}, {}, "medium"),
        ({"type": "enabled", "budget_tokens": 32_000}, {}, "xhigh"),
        ({"type": "disabled"}, {"effort": "high"}, "none"),
        (None, {"effort": "low"}, "low"),
        (None, {}, None),
    ],
)
def test_how_hard_to_think(thinking, config, effort):
    body, losses = asked(RESPONSES, thinking=thinking, output_config=config)
    chat, _ = asked(CHAT, thinking=thinking, output_config=config)

    assert body.get("reasoning", {}).get("effort") == effort
    assert chat.get("reasoning_effort") == effort
    assert losses == set()


@pytest.mark.parametrize(
    ("thinking", "shows", "seals"),
    [
        ({"type": "adaptive"}, True, True),
        ({"type": "adaptive", "display": "summarized"}, True, True),
        ({"type": "adaptive", "display": "omitted"}, False, True),
        ({"type": "enabled", "budget_tokens": 5000}, True, True),
        ({"type": "disabled"}, False, False),
    ],
)
def test_thinking_is_asked_for_if_it_is_to_be_seen_and_kept(thinking, shows, seals):
    body, _ = asked(RESPONSES, thinking=thinking)

    assert ("summary" in body.get("reasoning", {})) == shows
    assert (body.get("include") == ["reasoning.encrypted_content"]) == seals


@pytest.mark.parametrize("dialect", [RESPONSES, CHAT], ids=["responses", "chat"])
@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "Hm.", "signature": "made-by-the-vendor"},
        {"type": "redacted_thinking", "data": "made-by-the-vendor"},
    ],
    ids=lambda block: block["type"],
)
def test_a_signature_of_the_vendor_goes_to_no_other(dialect, block):
    body, losses = asked(dialect, user("Go."), assistant([block, text("So.")]), user("And?"))

    assert "made-by-the-vendor" not in str(body)
    assert "reasoning" in losses


def test_the_sampler_the_limits_and_the_user():
    fields = {
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["a", "b"],
        "metadata": {"user_id": "me"},
        "service_tier": "standard_only",
    }
    body, losses = asked(CHAT, **fields)
    said = {"max_tokens": 100, "temperature": 0.5, "top_p": 0.9, "stop": ["a", "b"], "user": "me"}
    assert {name: body[name] for name in said} == said
    assert losses == {"service_tier"}

    body, losses = asked(RESPONSES, **fields)
    said = {"max_output_tokens": 100, "temperature": 0.5, "top_p": 0.9, "user": "me"}
    assert {name: body[name] for name in said} == said
    assert body["service_tier"] == "default"
    assert losses == set()


@pytest.mark.parametrize("field", [{"output_config": {}}, {"output_format": {}}], ids=str)
def test_structured_output(field):
    """``output_format`` is what it was called before."""
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    for schema, strict in ((CLOSED, True), (loose, None)):
        format_ = {"type": "json_schema", "schema": schema}
        said = {"output_config": {"format": format_}}
        fields = said if "output_config" in field else {"output_format": format_}
        body, losses = asked(CHAT, **fields)

        written = body["response_format"]["json_schema"]
        assert written["schema"] == schema
        assert written.get("strict") == strict
        assert losses == set()


@pytest.mark.parametrize("wrong", [{"required": 5}, {"required": [["a"]]}, {"properties": "a"}])
def test_a_wrong_schema_is_left_to_the_upstream_to_refuse(wrong):
    schema = {**CLOSED, **wrong}
    body, _ = asked(CHAT, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert body["response_format"]["json_schema"] == {"name": "output", "schema": schema}


@pytest.mark.parametrize("dialect", [RESPONSES, CHAT], ids=["responses", "chat"])
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"top_k": 5}, "top_k"),
        ({"context_management": {"edits": []}}, "context_management"),
        ({"cache_control": {"type": "ephemeral"}}, "cache_control"),
        ({"system": [{**text("x"), "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
        ({"tools": [{**LOOK, "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"tools": [{**LOOK, "input_examples": [{"x": 1}]}]}, "tools[0].input_examples"),
        ({"tools": [{**LOOK, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"output_config": {"task_budget": {"tokens": 9}}}, "output_config.task_budget"),
        ({"metadata": {"user_id": "me", "team": "us"}}, "metadata.team"),
    ],
    ids=str,
)
def test_what_has_no_place_elsewhere_is_disclosed(dialect, fields, path):
    body, losses = asked(dialect, **fields)

    assert losses == {path}
    assert path.rpartition(".")[2] not in str(body)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [user(5)]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [user([{"type": "text", "text": 5}])]}, "messages[0].content[0].text"),
        ({"messages": [user([{"type": "image"}])]}, "messages[0].content[0].source"),
        (
            {"messages": [user([{"type": "image", "source": {"type": "file", "file_id": "f"}}])]},
            "messages[0].content[0].source.type",
        ),
        (
            {"messages": [assistant([{"type": "tool_use", "id": 42, "name": "x", "input": {}}])]},
            "messages[0].content[0].id",
        ),
        (
            {
                "messages": [
                    assistant([{"type": "tool_use", "id": "1", "name": "x", "input": "{}"}])
                ]
            },
            "messages[0].content[0].input",
        ),
        ({"messages": [user([result(42, "x")])]}, "messages[0].content[0].tool_use_id"),
        ({"messages": [user([{"text": "x"}])]}, "messages[0].content[0].type"),
        ({"messages": [user([{"type": "tool_use"}])]}, "messages[0].content[0].type"),
        ({"messages": [assistant([result("1", "x")])]}, "messages[0].content[0].type"),
        (
            {"messages": [user([result("1", [{"type": "tool_use"}])])]},
            "messages[0].content[0].content[0].type",
        ),
        ({"system": 5}, "system"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tools": [{"name": "x", "input_schema": "{}"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "sometimes"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": "many"}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type"),
        ({"stop_sequences": [5]}, "stop_sequences[0]"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
        ({"container": "c"}, "container"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_by_its_place(fields, path):
    with pytest.raises(Unprocessable) as caught:
        asked(CHAT, **fields)

    assert caught.value.param == path


def test_null_is_not_set():
    names = (
        "max_tokens system stream tools tool_choice stop_sequences temperature top_p top_k "
        "metadata service_tier thinking output_config output_format cache_control mcp_servers "
        "container"
    )
    body, losses = asked(CHAT, **dict.fromkeys(names.split()))

    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }
    assert losses == set()
