"""No body that a client can send is answered by a fault of ours.

What is malformed is 400, what is understood but of the wrong type 422, and the answer names the
field. What JSON allows, however odd, passes through and arrives as it was meant.
"""

import json

import pytest

from tests.hostile.answers import innocent, post, refused
from tests.hostile.fields import INSTEAD, SAYING, TYPES
from tests.web.routes import TAKES_JSON

DEEP = 100_000
MODELS = ("gpt-5.5", "box/sandbox-small")


def every_json_route(test):
    ids = [path for _, path in TAKES_JSON]
    return pytest.mark.parametrize("path", ids)(test)


@pytest.mark.parametrize("prefix", ["/v1", "/no-tools/v1"])
@pytest.mark.parametrize(
    ("route", "field"), [(route, field) for route, fields in TYPES.items() for field in fields]
)
def test_a_field_of_the_wrong_type_is_named(relay, prefix, route, field):
    allowed = TYPES[route][field].split()
    for model in MODELS:
        for name, value in INSTEAD.items():
            if name in allowed:
                continue
            body = {"model": model, **SAYING[route], field: value}
            answer = post(relay, f"{prefix}/{route}", json.dumps(body).encode())
            error = refused(answer, 422)
            assert error["param"] == field, (name, error)
            assert field in error["message"]


@pytest.mark.parametrize("field", ["metadata", "items"])
@pytest.mark.parametrize(
    "path", [path for _, path in TAKES_JSON if path.startswith("/v1/conversations")]
)
def test_a_field_of_a_conversation_of_the_wrong_type_is_named(relay, path, field):
    allowed = {"metadata": "object null", "items": "array null"}[field].split()
    for name, value in INSTEAD.items():
        if name not in allowed:
            answer = post(relay, path, json.dumps({field: value}).encode())
            assert refused(answer, 422)["param"] == field


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/responses", {"input": [1]}, "input[0]"),
        ("/v1/responses", {"input": [{}, "x"]}, "input[1]"),
        ("/v1/responses", {"input": {"role": "user", "content": 5}}, "input.content"),
        ("/v1/responses", {"input": [{"role": [], "content": "x"}]}, "input[0].role"),
        ("/v1/responses", {"input": "x", "conversation": {"id": 5}}, "conversation"),
        ("/v1/responses", {"input": "x", "conversation": {}}, "conversation.id"),
        ("/v1/completions", {"prompt": ["a", "b"]}, "prompt"),
        ("/v1/completions", {"prompt": [[1, 2]]}, "prompt"),
        ("/v1/completions", {"prompt": "x", "stop": [1]}, "stop[0]"),
    ],
)
def test_a_nested_value_of_the_wrong_type_is_named_by_its_path(relay, path, body, param, model):
    answer = post(relay, path, json.dumps({"model": model, **body}).encode())
    if answer.status == 400 and model == "gpt-5.5":
        assert relay.sandbox.requests, "a same-dialect upstream may judge its own nested fields"
        return
    assert refused(answer, 422)["param"] == param


@pytest.mark.parametrize("kind", [5, [], {}, True])
@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/conversations/{id}/items"])
def test_a_conversations_item_has_a_type_that_is_a_string(relay, path, kind):
    conversation = relay.ok("/v1/conversations", {})["id"]
    body = json.dumps({"items": [{"content": "x"}, {"type": kind}]}).encode()
    answer = post(relay, path.replace("{id}", conversation), body)
    assert refused(answer, 422)["param"] == "items[1].type"
    assert relay.get(f"/v1/conversations/{conversation}/items").json()["data"] == []


@pytest.mark.parametrize("wrong", [5, "x", {}, [5], None])
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf", "type", "enum", "items", "$ref"])
def test_a_schema_of_wrong_types_never_fails_the_relay(relay, keyword, wrong):
    schema = {"type": "object", "properties": {"a": {keyword: wrong}}}
    named = {"name": "s", "schema": schema}
    fields = {
        "responses": {"text": {"format": {"type": "json_schema", **named}}},
        "chat/completions": {"response_format": {"type": "json_schema", "json_schema": named}},
    }
    for route, asked in fields.items():
        body = {"model": "gpt-5.5", **SAYING[route], **asked}
        innocent(post(relay, f"/v1/{route}", json.dumps(body).encode()))


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"gpt',
        b'{"model":"a",}',
        b"{'model':'a'}",
        b'{"model":"a"} {}',
        b'{"model":"a"}\x00',
        b'{"model":"a\x00b"}',
        b"/* no */ {}",
        b"model=a&input=b",
        b'{"model":Infinity}',
        b'{"model":"a","top_p":1e400}',
        b'{"model":"a","seed":' + b"9" * 5_000 + b"}",
        b'\xef\xbb\xbf{"model":"a"}',
        '{"model":"a"}'.encode("utf-16"),
        '{"model":"a"}'.encode("utf-32"),
        '{"model":"größe"}'.encode("latin-1"),
        b'{"model":"\xed\xa0\x80"}',
        b'{"model":"\xc0\xaf"}',
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"model":"a","input":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"model":"a","input":' + b'[{"a":' * 101 + b"1" + b"}]" * 101 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
@every_json_route
def test_a_malformed_body_is_400(relay, path, body):
    error = refused(post(relay, path, body), 400)
    assert "JSON" in error["message"]
    assert "sys." not in error["message"]


def nested(depth, *keys, leaf=None):
    """Return ``leaf`` in ``depth`` objects with ``keys`` in turn; ``*`` stands for an array."""
    value = leaf if leaf is not None else {}
    for level in range(depth):
        key = keys[level % len(keys)]
        value = [value] if key == "*" else {key: value}
    return value


DEEPEST = 192
AS_DEEP_AS_ALLOWED = {
    "properties": nested(DEEPEST, "a", "properties"),
    "items": nested(DEEPEST, "items"),
    "choices": nested(DEEPEST, "anyOf", "*"),
    "optional choices": nested(DEEPEST, "*", "anyOf", "a", "properties"),
    "anything": nested(DEEPEST, "*"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", AS_DEEP_AS_ALLOWED)
def test_what_is_as_deep_as_allowed_is_too_deep_for_nothing(relay, kind, model):
    deep = AS_DEEP_AS_ALLOWED[kind]
    tool = {"type": "function", "name": "f", "parameters": deep}
    named = {"name": "s", "schema": deep}
    fields = {
        "responses": [
            {"tools": [tool]},
            {"text": {"format": {"type": "json_schema", **named}}},
            {"input": [{"type": "message", "role": "user", "content": [deep]}]},
            {"input": [{"type": "unknown", "deep": deep}]},
            {"tools": [nested(180, "tools", "*", leaf=[tool])]},
            {"metadata": {"a": deep}},
        ],
        "chat/completions": [
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": deep}}]},
            {"response_format": {"type": "json_schema", "json_schema": named}},
            {"messages": [{"role": "user", "content": [deep]}]},
            {"logit_bias": {"a": deep}},
        ],
    }
    for route, cases in fields.items():
        for case in cases:
            body = {"model": model, **SAYING[route], **case}
            innocent(post(relay, f"/v1/{route}", json.dumps(body).encode()))


def test_a_conversation_keeps_what_is_as_deep_as_allowed(relay):
    item = {"type": "message", "role": "user", "content": "x", "deep": nested(DEEPEST, "*")}
    made = relay.ok("/v1/conversations", {"items": [item]})
    [kept] = relay.get(f"/v1/conversations/{made['id']}/items").json()["data"]
    assert kept["deep"] == item["deep"]


def test_a_body_of_millions_of_values_is_too_large_before_it_is_read(relay):
    """Sixteen megabytes of text would be hundreds of megabytes of empty arrays."""
    body = b'{"model":"gpt-5.5","input":[' + b"[]," * 8_000_000 + b"0]}"
    assert refused(post(relay, "/v1/responses", body), 413)["code"] == "request_too_large"


@pytest.mark.parametrize("body", [b"", b" \r\n\t", b"{}", b'{"model":null}', b'{"model":""}'])
@pytest.mark.parametrize("route", SAYING)
def test_a_body_that_lacks_everything_is_told_what_it_lacks(relay, route, body):
    assert refused(post(relay, f"/v1/{route}", body), 422)["param"] == "model"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("route", SAYING)
@pytest.mark.parametrize(
    "text",
    [r"\ud83d", r"\ude00\ud83d", r"\u0000", r"\u2028\u2029\u0085", r"\ufffe", r"\u001b[2J", "\x7f"],
)
@pytest.mark.parametrize("stream", ["true", "false"])
def test_text_that_json_can_carry_arrives_as_it_was_meant(relay, route, model, text, stream):
    said = json.dumps(SAYING[route]).replace("hi", f"a{text}b")
    body = f'{{"model":"{model}","stream":{stream},{said[1:]}'

    answer = post(relay, f"/v1/{route}", body.encode())

    assert answer.status == 200, answer
    arrived = json.dumps(relay.sandbox.requests[-1].json)
    assert json.dumps(json.loads(f'"a{text}b"'))[1:-1] in arrived


ODD_BODIES = [
    r'{"model":"\ud800","input":"x","messages":[{"role":"user","content":"x"}]}',
    r'{"model":"box/a\ud800","input":"x","messages":[{"role":"user","content":"x"}]}',
    r'{"model":"box/\u0000","input":"x","messages":[{"role":"user","content":"x"}]}',
    r'{"model":"box/sandbox-small","\udfff":1,"input":"x","prompt":"x","messages":[]}',
    r'{"model":"gpt-5.5","\udfff":1,"input":"x","prompt":"x",'
    r'"messages":[{"role":"user","content":"x"}]}',
    r'{"model":"gpt-5.5","conversation":"\ud800","input":"x","prompt":"x",'
    r'"messages":[{"role":"user","content":"x"}]}',
    r'{"model":"gpt-5.5","conversation":"\u0000/../x","input":"x","messages":[]}',
    r'{"model":"gpt-5.5","input":[{"type":"\ud800","id":"\ud800"}],'
    r'"messages":[{"role":"\ud800","content":[{"type":"\ud800"}]}]}',
    r'{"model":"gpt-5.5","metadata":{"\ud800":"\ud800"},"input":"x",'
    r'"messages":[{"role":"user","content":"x"}],"prompt":"x"}',
    r'{"metadata":{"\ud800":"\ud800"},"items":[{"id":"\ud800","role":"user","content":"\ud800"}]}',
    r'{"metadata":{"\u0000":"\u0000"},"items":[{"type":"\u0000","content":"\u0000"}]}',
    r'{"items":[null]}',
    r'{"items":[[]]}',
    r'{"items":[{"content":[[]]},{"content":{}},{"content":7}]}',
    r'{"items":[{"type":[]},{"id":{}},{"role":5}]}',
    '{"":"","__proto__":{},"constructor":1,"model":"gpt-5.5","input":"x","prompt":"x",'
    '"messages":[{"role":"user","content":"x"}]}',
    '{"model":"gpt-5.5","input":"x","' + "k" * 100_000 + '":1}',
    '{"model":"' + "m" * 100_000 + '","input":"x","messages":[{"role":"user","content":"x"}]}',
    '{"model":"gpt-5.5","seed":-99999999999999999999999999,"input":"x","prompt":"x",'
    '"messages":[{"role":"user","content":"x"}]}',
    '{"model":"gpt-5.5","top_p":-0.0,"temperature":1e308,"input":"x","messages":[]}',
    '{"model":"/","input":"x"}',
    '{"model":"box/","input":"x","messages":[{"role":"user","content":"x"}]}',
    '{"model":" ","input":"x"}',
    '{"model":"gpt-5.5","input":"x","text":{"format":{"type":[]}},"response_format":{"type":{}},'
    '"messages":[{"role":"user","content":"x"}]}',
    '{"model":"gpt-5.5","tools":[{"type":"function","function":{"name":"f","parameters":[]}}],'
    '"input":"x","messages":[{"role":"user","content":"x"}]}',
]


@pytest.mark.parametrize("number", range(len(ODD_BODIES)))
@every_json_route
def test_odd_but_valid_json_never_fails_the_relay(relay, path, number):
    for stream in ("", '"stream":true,'):
        body = ODD_BODIES[number].replace("{", "{" + stream, 1)
        innocent(post(relay, path, body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"gpt-5.5","input":"x","model":"box/sandbox-small"}',
        b'{"model":"gpt-5.5","input":"x","stream":true,"stream":false}',
        rb'{"model":"gpt-5.5","input":"x","mod\u0065l":"box/sandbox-small"}',
        b'{"model":"gpt-5.5","input":"x","tools":[{"type":"web_search"}],"tools" : []}',
    ],
)
@every_json_route
def test_a_field_that_comes_twice_is_refused_by_its_name(relay, path, body):
    """The relay and an upstream might each believe another one of the two."""
    error = refused(post(relay, path, body), 400)
    (named,) = [name for name in ("model", "stream", "tools") if name in error["message"]]
    assert error.get("param", named) == named


def test_a_name_that_comes_twice_within_a_message_is_no_business_of_the_relay(relay):
    body = b'{"model":"box/sandbox-small","messages":[{"role":"user","role":"user","content":"x"}]}'
    assert post(relay, "/v1/chat/completions", body).status == 200
