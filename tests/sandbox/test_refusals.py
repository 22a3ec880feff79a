"""The stand-in backend refuses what the real one refuses, with a 400 that names the cause, and
accepts what Codex itself sends.
"""

import pytest

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
STRICT = {**SCHEMA, "additionalProperties": False}


def call(**changes):
    standard = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    return {**standard, **changes}


def output(**changes):
    return {"type": "function_call_output", "call_id": "c1", "output": "42", **changes}


def reasoning(**changes):
    return {"type": "reasoning", "summary": [], **changes}


def schema_format(schema, **changes):
    return {"format": {"type": "json_schema", "name": "s", "schema": schema, **changes}}


def tool(schema, **changes):
    return [{"type": "function", "name": "f", "parameters": schema, **changes}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        *(
            ({name: 1}, f"Unsupported parameter: {name}")
            for name in (
                "temperature",
                "top_p",
                "presence_penalty",
                "frequency_penalty",
                "user",
                "safety_identifier",
                "stop",
                "max_output_tokens",
                "seed",
                "conversation",
                "metadata",
                "truncation",
                "prompt_cache_retention",
            )
        ),
        ({"background": False}, "Unsupported parameter: background"),
        ({"service_tier": "flex"}, "Unsupported service_tier: flex"),
        ({"input": [{"role": "system", "content": "x"}]}, "System messages are not allowed"),
        ({"stream": False}, "Stream must be set to true"),
        ({"stream": None}, "Stream must be set to true"),
        ({"store": True}, "Store must be set to false"),
        ({"store": None}, "Store must be set to false"),
        ({"instructions": None}, "Instructions"),
        ({"instructions": " "}, "Instructions"),
        ({"model": "gpt-9"}, "'gpt-9' model is not supported"),
        ({"input": "text"}, "Input must be a list"),
        ({"input": []}, "input"),
        ({"input": ["text"]}, "input[0]"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tool_choice": {"type": "function", "name": "g"}}, "tool_choice"),
        ({"tool_choice": "always"}, "tool_choice"),
        ({"tools": tool(SCHEMA)}, "additionalProperties"),
        ({"tools": tool({**STRICT, "required": []})}, "Missing 'a'"),
        ({"tools": tool(STRICT, name="not good")}, "tools[0].name"),
        ({"text": schema_format(SCHEMA)}, "text.format.schema"),
        ({"text": schema_format(STRICT, name=None)}, "text.format.name"),
        ({"text": {"format": {"type": "json_object"}}}, "the word 'json'"),
    ],
)
def test_a_refused_field_is_named(codex, fields, named):
    answer = codex.post({**codex.body(), **fields})
    assert answer.status_code == 400
    assert named in answer.text


@pytest.mark.parametrize(
    ("items", "named"),
    [
        ([{"role": "user", "content": "x", "id": "abc"}], "begins with 'msg'"),
        ([call(id="call_1"), output()], "begins with 'fc'"),
        ([call(), output(id="out_1")], "begins with 'fc'"),
        ([reasoning(id="reason_1")], "begins with 'rs'"),
        ([reasoning(status=None)], "input[0].status"),
        ([output()], "No tool call found"),
        ([call()], "No tool output found"),
        ([call(name=None), output()], "input[0].name"),
        ([{"role": "user"}], "input[0].content"),
        ([{"role": "tool", "content": "x"}], "input[0].role"),
        ([{"role": "user", "content": [{"type": "output_text", "text": "x"}]}], "input_text"),
        ([{"role": "assistant", "content": [{"type": "input_text"}]}], "output_text"),
        ([reasoning(encrypted_content="gAAAAAbogus")], "invalid_encrypted_content"),
        ([reasoning(encrypted_content="bogus")], "invalid_encrypted_content"),
    ],
)
def test_a_refused_item_is_named(codex, items, named):
    answer = codex.post(codex.body([*items, codex.user("x")]))
    assert answer.status_code == 400
    assert named in answer.text


def test_an_item_reference_is_never_found(codex):
    items = [{"type": "item_reference", "id": "rs_1"}, codex.user("x")]
    assert codex.post(codex.body(items)).status_code == 404


def test_a_body_that_is_no_object_is_refused(codex):
    assert codex.post([1]).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None, "user": None},
        {"client_metadata": {"a": "b"}, "prompt_cache_key": "k", "service_tier": "priority"},
        {"tools": tool(SCHEMA, strict=False)},
        {"tools": tool(STRICT)},
        {"text": schema_format(SCHEMA, strict=False)},
        {"text": schema_format(STRICT, strict=True)},
        {"tools": [{"type": "web_search", "external_web_access": True}, {"type": "tool_search"}]},
        {"include": [], "tools": [], "tool_choice": "none"},
    ],
)
def test_what_real_clients_send_is_accepted(codex, fields):
    assert codex.post(codex.body(**fields)).status_code == 200


def test_items_that_carry_everything_may_carry_ids(codex):
    items = [
        {"type": "message", "role": "developer", "id": "msg_1", "content": "be brief"},
        codex.user("go"),
        reasoning(id="rs_1", content=None),
        call(id="fc_1"),
        output(id="fco_1"),
        {"type": "riddle", "id": "anything", "of": {"the": "future"}},
    ]
    assert codex.post(codex.body(items)).status_code == 200


def test_json_mode_wants_the_word_in_the_input(codex):
    answer = codex.text("as JSON please", text={"format": {"type": "json_object"}})
    assert answer == '{"answer":"ok"}'
